package peer;

import com.qq.tars.protocol.tars.TarsInputStream;
import com.qq.tars.protocol.tars.TarsOutputStream;
import com.qq.tars.protocol.tars.TarsStructBase;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The structs of benches/tars/bench.tars, with the calls of tars2java's code. */
public class Types {
    public abstract static class Struct extends TarsStructBase {}

    static final Record RECORD = new Record();
    static final List<Record> RECORDS = List.of(RECORD);
    static final Map<String, Record> NAMED = Map.of("", RECORD);
    static final Map<String, String> TEXTS = Map.of("", "");

    public static class Record extends Struct {
        long id;
        int count;
        short page;

        @Override
        public void writeTo(TarsOutputStream os) {
            os.write(id, 0);
            os.write(count, 1);
            os.write(page, 2);
        }

        @Override
        public void readFrom(TarsInputStream is) {
            id = is.read(id, 0, true);
            count = is.read(count, 1, true);
            page = is.read(page, 2, true);
        }

        @Override
        public TarsStructBase newInit() {
            return new Record();
        }
    }

    public static class LotofTags extends Struct {
        long id;
        int count;
        short page;
        String str = "";
        List<Record> ss;
        Record rs;
        Map<String, Record> mss;

        @Override
        public void writeTo(TarsOutputStream os) {
            os.write(id, 0);
            os.write(count, 1);
            os.write(page, 2);
            os.write(str, 3);
            os.write(ss, 4);
            os.write(rs, 5);
            os.write(mss, 6);
        }

        @Override
        @SuppressWarnings("unchecked")
        public void readFrom(TarsInputStream is) {
            id = is.read(id, 0, true);
            count = is.read(count, 1, true);
            page = is.read(page, 2, true);
            str = is.readString(3, false);
            ss = (List<Record>) is.read(RECORDS, 4, true);
            rs = (Record) is.read(RECORD, 5, true);
            mss = (Map<String, Record>) is.read(NAMED, 6, true);
        }
    }

    public static class ComplicatedStruct extends Struct {
        List<Record> ss;
        Record rs;
        Map<String, Record> mss;
        String str = "";

        @Override
        public void writeTo(TarsOutputStream os) {
            os.write(ss, 0);
            os.write(rs, 1);
            os.write(mss, 2);
            os.write(str, 3);
        }

        @Override
        @SuppressWarnings("unchecked")
        public void readFrom(TarsInputStream is) {
            ss = (List<Record>) is.read(RECORDS, 0, true);
            rs = (Record) is.read(RECORD, 1, true);
            mss = (Map<String, Record>) is.read(NAMED, 2, true);
            str = is.readString(3, false);
        }
    }

    public static class Numbers extends Struct {
        int[] values;

        @Override
        public void writeTo(TarsOutputStream os) {
            os.write(values, 0);
        }

        @Override
        public void readFrom(TarsInputStream is) {
            values = is.read((int[]) null, 0, true);
        }
    }

    public static class Blob extends Struct {
        byte[] data;

        @Override
        public void writeTo(TarsOutputStream os) {
            os.write(data, 0);
        }

        @Override
        public void readFrom(TarsInputStream is) {
            data = is.read((byte[]) null, 0, true);
        }
    }

    public static class Text extends Struct {
        String text;

        @Override
        public void writeTo(TarsOutputStream os) {
            os.write(text, 0);
        }

        @Override
        public void readFrom(TarsInputStream is) {
            text = is.readString(0, true);
        }
    }

    public static class RequestPacket extends Struct {
        short version;
        byte packetType;
        int messageType;
        int requestId;
        String servant;
        String func;
        byte[] body;
        int timeout;
        Map<String, String> context = new HashMap<>();
        Map<String, String> status = new HashMap<>();

        @Override
        public void writeTo(TarsOutputStream os) {
            os.write(version, 1);
            os.write(packetType, 2);
            os.write(messageType, 3);
            os.write(requestId, 4);
            os.write(servant, 5);
            os.write(func, 6);
            os.write(body, 7);
            os.write(timeout, 8);
            os.write(context, 9);
            os.write(status, 10);
        }

        @Override
        @SuppressWarnings("unchecked")
        public void readFrom(TarsInputStream is) {
            version = is.read(version, 1, true);
            packetType = is.read(packetType, 2, true);
            messageType = is.read(messageType, 3, true);
            requestId = is.read(requestId, 4, true);
            servant = is.readString(5, true);
            func = is.readString(6, true);
            body = is.read((byte[]) null, 7, true);
            timeout = is.read(timeout, 8, true);
            context = (Map<String, String>) is.read(TEXTS, 9, true);
            status = (Map<String, String>) is.read(TEXTS, 10, true);
        }
    }
}
