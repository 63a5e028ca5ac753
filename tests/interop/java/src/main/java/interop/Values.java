package interop;

import interop.alltypes.Basic;
import interop.alltypes.Containers;
import interop.alltypes.Inner;
import interop.testtafserviceservant.ComplicatedStruct;
import interop.testtafserviceservant.LotofTags;
import interop.testtafserviceservant.SimpleStruct;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The values of values.rs. */
final class Values {
    private Values() {}

    static final String TEXT = "h\u00e9llo \u4e16\u754c \ud83d\ude00\n\"\\\0";

    static SimpleStruct smallest() {
        return new SimpleStruct(Long.MIN_VALUE, Integer.MAX_VALUE, Short.MIN_VALUE);
    }

    static List<SimpleStruct> records() {
        return List.of(
                new SimpleStruct(),
                new SimpleStruct(255, 32768, (short) -129),
                smallest(),
                new SimpleStruct(Long.MAX_VALUE, Integer.MIN_VALUE, Short.MAX_VALUE));
    }

    static Map<String, String> strings() {
        return Map.of("", "", "key", TEXT, "\u952e", "value");
    }

    static ComplicatedStruct emptyComplicated() {
        return new ComplicatedStruct(new ArrayList<>(), new SimpleStruct(), new HashMap<>(), "");
    }

    static ComplicatedStruct complicated() {
        return new ComplicatedStruct(records(), smallest(), Map.of("", smallest(), TEXT, new SimpleStruct()), TEXT);
    }

    static LotofTags emptyTags() {
        return new LotofTags(0, 0, (short) 0, "", new ArrayList<>(), new SimpleStruct(), new HashMap<>());
    }

    static LotofTags tags() {
        ComplicatedStruct c = complicated();
        return new LotofTags(Long.MAX_VALUE, Integer.MIN_VALUE, (short) -1, TEXT, c.ss, c.rs, c.mss);
    }

    static Basic basic() {
        Basic v = new Basic();
        v.b = true;
        v.c = Byte.MIN_VALUE;
        v.s = Short.MIN_VALUE;
        v.i = Integer.MIN_VALUE;
        v.l = Long.MIN_VALUE;
        v.f = 1.5f;
        v.d = -1e300;
        v.str = TEXT;
        v.ub = 255;
        v.us = 65535;
        v.ui = 4294967295L;
        v.e = 4711;
        return v;
    }

    static byte[] bytes() {
        byte[] bytes = new byte[256];
        for (int i = 0; i < 256; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    private static Inner inner(int id, String name) {
        Inner v = new Inner();
        v.id = id;
        v.name = name;
        return v;
    }

    static Containers containers() {
        Containers v = new Containers();
        v.bytes = bytes();
        v.shorts = List.of((short) 0, (short) -1, Short.MIN_VALUE, Short.MAX_VALUE);
        v.ints = List.of(0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 127, 128);
        v.longs = List.of(0L, -1L, Long.MIN_VALUE, Long.MAX_VALUE);
        v.floats = List.of(0f, -1.5f, 0.25f);
        v.doubles = List.of(0d, 1e300, -1e-300);
        v.strs = List.of("", TEXT, "x".repeat(300));
        v.inners = List.of(inner(1, "one"), inner(-1, ""));
        v.vvi = List.of(List.of(), List.of(1, 2), List.of(-3));
        v.vvb = List.of(new byte[0], bytes());
        v.mss = strings();
        v.mis = Map.of(Integer.MIN_VALUE, "min", 0, "", 7, TEXT);
        v.mli = Map.of(Long.MAX_VALUE, inner(2, "two"), -1L, inner(0, ""));
        v.msv = Map.of("", List.of(), "k", List.of(1, -2));
        v.msm = Map.of("m", Map.of(-5, inner(5, TEXT)));
        v.vm = List.of(Map.of(), Map.of("a", 1));
        v.vub = List.of((short) 0, (short) 127, (short) 128, (short) 255);
        v.vus = List.of(0, 32767, 32768, 65535);
        v.vui = List.of(0L, 2147483648L, 4294967295L);
        v.colors = List.of(0, -3, 70000, 4711);
        v.msb = Map.of("b", bytes(), "empty", new byte[0]);
        v.mbb = Map.of((byte) -128, (byte) 127, (byte) 0, (byte) 0);
        return v;
    }
}
