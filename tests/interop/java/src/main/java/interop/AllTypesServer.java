package interop;

import com.qq.tars.common.support.Holder;
import interop.alltypes.AllTypesIfServant;
import interop.alltypes.Basic;
import interop.alltypes.Containers;

/** The servant Tests.AllTypesServer.Obj. */
public class AllTypesServer implements AllTypesIfServant {
    @Override
    public int echoBasic(Basic in, Holder<Basic> o) {
        o.setValue(in);
        return in.e;
    }

    @Override
    public void echoContainers(Containers in, Holder<Containers> o) {
        o.setValue(in);
    }

    @Override
    public byte[] echoBytes(byte[] data) {
        return data;
    }
}
