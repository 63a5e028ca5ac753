package interop.alltypes;

import com.qq.tars.protocol.tars.annotation.TarsStruct;
import com.qq.tars.protocol.tars.annotation.TarsStructProperty;

/** Struct Basic of alltypes.tars, by hand: the parser of tars-maven-plugin knows no unsigned types. */
@TarsStruct
public class Basic {
    @TarsStructProperty(order = 0, isRequire = true)
    public boolean b;

    @TarsStructProperty(order = 1, isRequire = true)
    public byte c;

    @TarsStructProperty(order = 2, isRequire = true)
    public short s;

    @TarsStructProperty(order = 3, isRequire = true)
    public int i;

    @TarsStructProperty(order = 4, isRequire = true)
    public long l;

    @TarsStructProperty(order = 5, isRequire = true)
    public float f;

    @TarsStructProperty(order = 6, isRequire = true)
    public double d;

    @TarsStructProperty(order = 7, isRequire = true)
    public String str = "";

    @TarsStructProperty(order = 8, isRequire = true)
    public short ub;

    @TarsStructProperty(order = 9, isRequire = true)
    public int us;

    @TarsStructProperty(order = 10, isRequire = true)
    public long ui;

    @TarsStructProperty(order = 11, isRequire = true)
    public int e;
}
