package interop;

import com.qq.tars.common.support.Holder;
import com.qq.tars.rpc.protocol.tars.TarsServantRequest;
import com.qq.tars.rpc.protocol.tars.TarsServantResponse;
import com.qq.tars.server.core.Context;
import com.qq.tars.server.core.ContextManager;
import interop.testtafserviceservant.ComplicatedStruct;
import interop.testtafserviceservant.LotofTags;
import interop.testtafserviceservant.OutStruct;
import interop.testtafserviceservant.SimpleStruct;
import interop.testtafserviceservant.TestTafServiceServant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** The servant PHPTest.PHPServer.obj. */
public class PhpServer implements TestTafServiceServant {
    private final Set<String> notes = ConcurrentHashMap.newKeySet();

    private String greet(String name) {
        String[] words = name.split(":", 2);
        if (words.length < 2) {
            return "hello " + name;
        }
        Context<TarsServantRequest, TarsServantResponse> context = ContextManager.getContext();
        String rest = words[1];
        switch (words[0]) {
            case "error":
                // The way of TarsJava to answer with a code: it has no exception for it.
                String[] error = rest.split(":", 2);
                context.response().setRet(Integer.parseInt(error[0]));
                context.response().setRemark(error[1]);
                return "";
            case "sleep":
                try {
                    Thread.sleep(Long.parseLong(rest));
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                }
                return "slept " + rest;
            case "context":
                return context.request().getContext().getOrDefault(rest, "");
            case "status":
                return context.request().getStatus().getOrDefault(rest, "");
            case "note":
                notes.add(rest);
                return "noted";
            case "noted":
                return String.valueOf(notes.contains(rest));
            default:
                return "hello " + name;
        }
    }

    @Override
    public void testTafServer() {}

    @Override
    public int testLofofTags(LotofTags tags, Holder<LotofTags> outtags) {
        outtags.setValue(tags);
        return tags.ss.size() + tags.mss.size();
    }

    @Override
    public void sayHelloWorld(String name, Holder<String> outGreetings) {
        outGreetings.setValue(greet(name));
    }

    @Override
    public int testBasic(
            boolean a, int b, String c, Holder<Boolean> d, Holder<Integer> e, Holder<String> f) {
        d.setValue(!a);
        e.setValue(~b);
        f.setValue(c + c);
        return b;
    }

    @Override
    public String testStruct(long a, SimpleStruct b, Holder<OutStruct> d) {
        d.setValue(new OutStruct(b.id, b.count, b.page, String.valueOf(b.id)));
        return String.valueOf(a);
    }

    @Override
    public String testMap(
            short a,
            SimpleStruct b,
            Map<String, String> m1,
            Holder<OutStruct> d,
            Holder<Map<Integer, SimpleStruct>> m2) {
        d.setValue(new OutStruct(b.id, m1.size(), a, m1.getOrDefault("key", "")));
        Map<Integer, SimpleStruct> records = new HashMap<>();
        List.of(0, -1, b.count).forEach(key -> records.put(key, b));
        m2.setValue(records);
        return new TreeMap<>(m1)
                .entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).collect(Collectors.joining(";"));
    }

    @Override
    public String testVector(
            int a,
            List<String> v1,
            List<SimpleStruct> v2,
            Holder<List<Integer>> v3,
            Holder<List<OutStruct>> v4) {
        List<Integer> counts = new ArrayList<>(List.of(a));
        List<OutStruct> records = new ArrayList<>();
        for (SimpleStruct s : v2) {
            counts.add(s.count);
            records.add(new OutStruct(s.id, s.count, s.page, String.valueOf(a)));
        }
        v3.setValue(counts);
        v4.setValue(records);
        return String.join(",", v1);
    }

    @Override
    public SimpleStruct testReturn() {
        return Values.smallest();
    }

    @Override
    public Map<String, String> testReturn2() {
        return Values.strings();
    }

    @Override
    public List<SimpleStruct> testComplicatedStruct(
            ComplicatedStruct cs,
            List<ComplicatedStruct> vcs,
            Holder<ComplicatedStruct> ocs,
            Holder<List<ComplicatedStruct>> ovcs) {
        ocs.setValue(cs);
        List<ComplicatedStruct> reversed = new ArrayList<>(vcs);
        Collections.reverse(reversed);
        ovcs.setValue(reversed);
        return cs.ss;
    }

    @Override
    public Map<String, ComplicatedStruct> testComplicatedMap(
            Map<String, ComplicatedStruct> mcs, Holder<Map<String, ComplicatedStruct>> omcs) {
        omcs.setValue(mcs);
        return mcs;
    }

    @Override
    public int testEmpty(
            short a,
            Holder<Boolean> b1,
            Holder<Integer> in2,
            Holder<OutStruct> d,
            Holder<List<OutStruct>> v3,
            Holder<List<Integer>> v4) {
        // The framework puts other values into the holders: true, and lists with an element.
        b1.setValue(false);
        in2.setValue(0);
        d.setValue(new OutStruct());
        v3.setValue(new ArrayList<>());
        v4.setValue(new ArrayList<>());
        return a;
    }

    @Override
    public int testProperty() {
        return 42;
    }
}
