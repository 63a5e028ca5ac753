package interop.alltypes;

import com.qq.tars.common.support.Holder;
import com.qq.tars.protocol.annotation.Servant;
import com.qq.tars.protocol.tars.annotation.TarsHolder;
import com.qq.tars.protocol.tars.annotation.TarsMethodParameter;

/** Client side of the interface AllTypesIf, and functions that are in no IDL. */
@Servant
public interface AllTypesIfPrx {
    int echoBasic(@TarsMethodParameter(name = "in") Basic in, @TarsHolder(name = "o") Holder<Basic> o);

    void echoContainers(@TarsMethodParameter(name = "in") Containers in, @TarsHolder(name = "o") Holder<Containers> o);

    byte[] echoBytes(@TarsMethodParameter(name = "data") byte[] data);

    void tars_ping();

    void noSuch();
}
