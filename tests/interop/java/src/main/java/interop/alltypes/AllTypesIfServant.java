package interop.alltypes;

import com.qq.tars.common.support.Holder;
import com.qq.tars.protocol.annotation.Servant;
import com.qq.tars.protocol.tars.annotation.TarsHolder;
import com.qq.tars.protocol.tars.annotation.TarsMethodParameter;

/** Server side of the interface AllTypesIf. */
@Servant(name = "Tests.AllTypesServer.Obj")
public interface AllTypesIfServant {
    int echoBasic(@TarsMethodParameter(name = "in") Basic in, @TarsHolder(name = "o") Holder<Basic> o);

    void echoContainers(@TarsMethodParameter(name = "in") Containers in, @TarsHolder(name = "o") Holder<Containers> o);

    byte[] echoBytes(@TarsMethodParameter(name = "data") byte[] data);
}
