package interop.alltypes;

import com.qq.tars.protocol.tars.annotation.TarsStruct;
import com.qq.tars.protocol.tars.annotation.TarsStructProperty;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Struct Containers of alltypes.tars, by hand. */
@TarsStruct
public class Containers {
    @TarsStructProperty(order = 0, isRequire = true)
    public byte[] bytes = new byte[0];

    @TarsStructProperty(order = 2, isRequire = true)
    public List<Short> shorts = new ArrayList<>();

    @TarsStructProperty(order = 3, isRequire = true)
    public List<Integer> ints = new ArrayList<>();

    @TarsStructProperty(order = 4, isRequire = true)
    public List<Long> longs = new ArrayList<>();

    @TarsStructProperty(order = 5, isRequire = true)
    public List<Float> floats = new ArrayList<>();

    @TarsStructProperty(order = 6, isRequire = true)
    public List<Double> doubles = new ArrayList<>();

    @TarsStructProperty(order = 7, isRequire = true)
    public List<String> strs = new ArrayList<>();

    @TarsStructProperty(order = 8, isRequire = true)
    public List<Inner> inners = new ArrayList<>();

    @TarsStructProperty(order = 9, isRequire = true)
    public List<List<Integer>> vvi = new ArrayList<>();

    @TarsStructProperty(order = 10, isRequire = true)
    public List<byte[]> vvb = new ArrayList<>();

    @TarsStructProperty(order = 11, isRequire = true)
    public Map<String, String> mss = new HashMap<>();

    @TarsStructProperty(order = 12, isRequire = true)
    public Map<Integer, String> mis = new HashMap<>();

    @TarsStructProperty(order = 13, isRequire = true)
    public Map<Long, Inner> mli = new HashMap<>();

    @TarsStructProperty(order = 14, isRequire = true)
    public Map<String, List<Integer>> msv = new HashMap<>();

    @TarsStructProperty(order = 15, isRequire = true)
    public Map<String, Map<Integer, Inner>> msm = new HashMap<>();

    @TarsStructProperty(order = 16, isRequire = true)
    public List<Map<String, Integer>> vm = new ArrayList<>();

    @TarsStructProperty(order = 17, isRequire = true)
    public List<Short> vub = new ArrayList<>();

    @TarsStructProperty(order = 18, isRequire = true)
    public List<Integer> vus = new ArrayList<>();

    @TarsStructProperty(order = 19, isRequire = true)
    public List<Long> vui = new ArrayList<>();

    @TarsStructProperty(order = 20, isRequire = true)
    public List<Integer> colors = new ArrayList<>();

    @TarsStructProperty(order = 21, isRequire = true)
    public Map<String, byte[]> msb = new HashMap<>();

    @TarsStructProperty(order = 22, isRequire = true)
    public Map<Byte, Byte> mbb = new HashMap<>();
}
