package peer;

import com.qq.tars.protocol.tars.TarsInputStream;
import com.qq.tars.protocol.tars.TarsOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import peer.Types.Struct;

/** TarsJava's codec with the values of scripts/bench-codec.sh: prints what it encodes and how long it takes. */
public class Main {
    static final Map<String, Supplier<Struct>> TYPES = Map.of(
            "LotofTags", Types.LotofTags::new,
            "ComplicatedStruct", Types.ComplicatedStruct::new,
            "RequestPacket", Types.RequestPacket::new,
            "Numbers", Types.Numbers::new,
            "Blob", Types.Blob::new,
            "Text", Types.Text::new);
    static final Pattern LINE = Pattern.compile("\\{\"name\":\"(.*)\",\"type\":\"(.*)\",\"values\":\\[(.*)]}");
    static final HexFormat HEX = HexFormat.of();
    static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    /** Results go here, so that no work is for nothing. */
    static Object sink;

    public static void main(String[] args) throws Exception {
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            Matcher parts = LINE.matcher(line);
            if (!parts.matches()) throw new IllegalArgumentException(line);
            measure(parts.group(1), TYPES.get(parts.group(2)), parts.group(3).replace("\"", "").split(","));
        }
        OUT.flush();
    }

    static void measure(String name, Supplier<Struct> type, String[] values) {
        List<byte[]> encoded = new ArrayList<>();
        List<Struct> decoded = new ArrayList<>();
        StringBuilder bytes = new StringBuilder();
        for (String hex : values) {
            byte[] data = HEX.parseHex(hex);
            encoded.add(data);
            Struct value = decode(type, data);
            decoded.add(value);
            TarsOutputStream os = new TarsOutputStream();
            os.setServerEncoding("UTF-8");
            value.writeTo(os);
            bytes.append(HEX.formatHex(os.toByteArray())).append(' ');
        }
        OUT.println("bytes\t" + name + "\t" + bytes);
        int[] next = {0};
        TarsOutputStream reused = new TarsOutputStream();
        reused.setServerEncoding("UTF-8");
        double encode = ns(() -> {
            next[0] = (next[0] + 1) % decoded.size();
            reused.getByteBuffer().clear();
            decoded.get(next[0]).writeTo(reused);
        });
        double decode = ns(() -> {
            next[0] = (next[0] + 1) % encoded.size();
            sink = decode(type, encoded.get(next[0]));
        });
        OUT.printf("ns\t%s: encode\t%.1f%n", name, encode);
        OUT.printf("ns\t%s: decode\t%.1f%n", name, decode);
    }

    static Struct decode(Supplier<Struct> type, byte[] data) {
        TarsInputStream is = new TarsInputStream(data);
        is.setServerEncoding("UTF-8");
        Struct value = type.get();
        value.readFrom(is);
        return value;
    }

    /** The best of 25 rounds of 10 ms, after half a second for the compiler: what else runs can only add to that. */
    static double ns(Runnable work) {
        long count = 1;
        long end = System.nanoTime() + 500_000_000;
        while (true) {
            long took = run(work, count);
            if (took > 5_000_000 && System.nanoTime() > end) {
                count = count * 10_000_000 / took + 1;
                break;
            }
            if (took < 5_000_000) count *= 2;
        }
        double best = Double.MAX_VALUE;
        for (int i = 0; i < 25; i++) best = Math.min(best, (double) run(work, count) / count);
        return best;
    }

    static long run(Runnable work, long count) {
        long start = System.nanoTime();
        for (long i = 0; i < count; i++) work.run();
        return System.nanoTime() - start;
    }
}
