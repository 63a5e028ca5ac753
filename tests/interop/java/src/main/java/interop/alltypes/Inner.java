package interop.alltypes;

import com.qq.tars.protocol.tars.annotation.TarsStruct;
import com.qq.tars.protocol.tars.annotation.TarsStructProperty;

/** Struct Inner of alltypes.tars, by hand. */
@TarsStruct
public class Inner {
    @TarsStructProperty(order = 0, isRequire = true)
    public int id;

    @TarsStructProperty(order = 1, isRequire = false)
    public String name = "";
}
