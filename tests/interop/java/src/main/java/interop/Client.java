package interop;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.qq.tars.client.Communicator;
import com.qq.tars.client.CommunicatorConfig;
import com.qq.tars.client.CommunicatorFactory;
import com.qq.tars.client.ServantProxyConfig;
import com.qq.tars.common.support.Holder;
import com.qq.tars.common.util.DyeingSwitch;
import com.qq.tars.rpc.exc.ServerException;
import interop.alltypes.AllTypesIfPrx;
import interop.alltypes.Basic;
import interop.alltypes.Containers;
import interop.testtafserviceservant.ComplicatedStruct;
import interop.testtafserviceservant.LotofTags;
import interop.testtafserviceservant.OutStruct;
import interop.testtafserviceservant.SimpleStruct;
import interop.testtafserviceservant.TestTafServicePrx;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Calls both servants and prints a line for each case. TarsJava has one version as a client: 1. */
final class Client {
    interface Case {
        void run() throws Exception;
    }

    private static final Gson GSON = new Gson();

    private final Communicator communicator;
    private final String port;
    private final TestTafServicePrx client;
    private final AllTypesIfPrx allTypes;

    private Client(String port) {
        this.port = port;
        communicator = CommunicatorFactory.getInstance().getCommunicator(new CommunicatorConfig());
        client = proxyOf(TestTafServicePrx.class, "PHPTest.PHPServer.obj", 10_000);
        allTypes = proxyOf(AllTypesIfPrx.class, "Tests.AllTypesServer.Obj", 10_000);
    }

    private <T> T proxyOf(Class<T> type, String servant, int timeout) {
        ServantProxyConfig config =
                new ServantProxyConfig(servant + "@tcp -h 127.0.0.1 -p " + port + " -t " + timeout);
        config.setSyncTimeout(timeout);
        config.setAsyncTimeout(timeout);
        return communicator.stringToProxy(type, config);
    }

    static void callAll(String port) {
        // The framework prints to both streams.
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Client tests = new Client(port);
        tests.cases()
                .forEach(
                        (name, test) -> {
                            String result = "ok";
                            try {
                                test.run();
                            } catch (Throwable failure) {
                                failure.printStackTrace();
                                result = String.valueOf(failure).replaceAll("\\s+", " ");
                            }
                            out.printf("cell\t1\t%s\t%.300s%n", name, result);
                        });
        System.exit(0);
    }

    private Map<String, Case> cases() {
        Map<String, Case> cases = new LinkedHashMap<>();
        cases.put("testTafServer", client::testTafServer);
        cases.put("testLofofTags", this::testLofofTags);
        cases.put("sayHelloWorld", this::sayHelloWorld);
        cases.put("testBasic", this::testBasic);
        cases.put("testStruct", this::testStruct);
        cases.put("testMap", this::testMap);
        cases.put("testVector", this::testVector);
        cases.put("testReturn", () -> same("result", client.testReturn(), Values.smallest()));
        cases.put("testReturn2", () -> same("result", client.testReturn2(), Values.strings()));
        cases.put("testComplicatedStruct", this::testComplicatedStruct);
        cases.put("testComplicatedMap", this::testComplicatedMap);
        cases.put("testEmpty", this::testEmpty);
        cases.put("testProperty", () -> same("result", client.testProperty(), 42));
        cases.put("echoBasic", this::echoBasic);
        cases.put("echoContainers", this::echoContainers);
        cases.put("echoBytes", this::echoBytes);
        cases.put("tars_ping", allTypes::tars_ping);
        cases.put("oneway", this::oneway);
        cases.put("context", () -> context("ted"));
        cases.put("context, UTF-8", () -> context(Values.TEXT));
        cases.put("status", this::status);
        cases.put("error", () -> fails(() -> greet("error:1234:wrong \u9519"), 1234, "wrong \u9519"));
        cases.put("unknownFunction", () -> fails(allTypes::noSuch, -3, ""));
        TestTafServicePrx none = proxyOf(TestTafServicePrx.class, "PHPTest.PHPServer.none", 10_000);
        cases.put("unknownServant", () -> fails(none::testTafServer, -4, ""));
        cases.put("timeout", this::timeout);
        cases.put("1MiB", this::large);
        cases.put("100 concurrent", this::concurrent);
        return cases;
    }

    private String greet(String name) {
        Holder<String> greetings = new Holder<>();
        client.sayHelloWorld(name, greetings);
        return greetings.getValue();
    }

    private void testLofofTags() {
        for (LotofTags tags : List.of(Values.emptyTags(), Values.tags())) {
            Holder<LotofTags> out = new Holder<>();
            same("result", client.testLofofTags(tags, out), tags.ss.size() + tags.mss.size());
            same("outtags", out.getValue(), tags);
        }
    }

    private void sayHelloWorld() {
        for (String name : List.of("", "ted", Values.TEXT, "x".repeat(300))) {
            same("outGreetings", greet(name), "hello " + name);
        }
    }

    private void testBasic() {
        testBasic(true, Integer.MIN_VALUE, Values.TEXT);
        testBasic(false, Integer.MAX_VALUE, "");
        testBasic(true, 0, "c");
    }

    private void testBasic(boolean a, int b, String c) {
        Holder<Boolean> d = new Holder<>();
        Holder<Integer> e = new Holder<>();
        Holder<String> f = new Holder<>();
        same("result", client.testBasic(a, b, c, d, e, f), b);
        same("d", d.getValue(), !a);
        same("e", e.getValue(), ~b);
        same("f", f.getValue(), c + c);
    }

    private void testStruct() {
        for (SimpleStruct b : Values.records()) {
            for (long a : new long[] {Long.MIN_VALUE, Long.MAX_VALUE, -1}) {
                Holder<OutStruct> d = new Holder<>();
                same("result", client.testStruct(a, b, d), String.valueOf(a));
                same("d", d.getValue(), new OutStruct(b.id, b.count, b.page, String.valueOf(b.id)));
            }
        }
    }

    private void testMap() {
        testMap(Map.of(), "");
        testMap(Values.strings(), "=;key=" + Values.TEXT + ";\u952e=value");
    }

    private void testMap(Map<String, String> m1, String result) {
        SimpleStruct b = Values.smallest();
        Holder<OutStruct> d = new Holder<>();
        Holder<Map<Integer, SimpleStruct>> m2 = new Holder<>();
        same("result", client.testMap((short) -2, b, m1, d, m2), result);
        same("d", d.getValue(), new OutStruct(b.id, m1.size(), (short) -2, m1.getOrDefault("key", "")));
        same("m2", m2.getValue(), Map.of(0, b, -1, b, b.count, b));
    }

    private void testVector() {
        testVector(0, List.of(), List.of());
        testVector(-5, List.of("", Values.TEXT, "z"), Values.records());
    }

    private void testVector(int a, List<String> v1, List<SimpleStruct> v2) {
        Holder<List<Integer>> v3 = new Holder<>();
        Holder<List<OutStruct>> v4 = new Holder<>();
        same("result", client.testVector(a, v1, v2, v3, v4), String.join(",", v1));
        List<Integer> counts = new ArrayList<>(List.of(a));
        List<OutStruct> records = new ArrayList<>();
        for (SimpleStruct s : v2) {
            counts.add(s.count);
            records.add(new OutStruct(s.id, s.count, s.page, String.valueOf(a)));
        }
        same("v3", v3.getValue(), counts);
        same("v4", v4.getValue(), records);
    }

    private void testComplicatedStruct() {
        ComplicatedStruct empty = Values.emptyComplicated();
        ComplicatedStruct full = Values.complicated();
        testComplicatedStruct(empty, List.of());
        testComplicatedStruct(full, List.of(empty, full, full));
    }

    private void testComplicatedStruct(ComplicatedStruct cs, List<ComplicatedStruct> vcs) {
        Holder<ComplicatedStruct> ocs = new Holder<>();
        Holder<List<ComplicatedStruct>> ovcs = new Holder<>();
        same("result", client.testComplicatedStruct(cs, vcs, ocs, ovcs), cs.ss);
        same("ocs", ocs.getValue(), cs);
        List<ComplicatedStruct> reversed = new ArrayList<>(vcs);
        Collections.reverse(reversed);
        same("ovcs", ovcs.getValue(), reversed);
    }

    private void testComplicatedMap() {
        Map<String, ComplicatedStruct> full =
                Map.of("", Values.emptyComplicated(), Values.TEXT, Values.complicated());
        for (Map<String, ComplicatedStruct> mcs : List.of(Map.<String, ComplicatedStruct>of(), full)) {
            Holder<Map<String, ComplicatedStruct>> omcs = new Holder<>();
            same("result", client.testComplicatedMap(mcs, omcs), mcs);
            same("omcs", omcs.getValue(), mcs);
        }
    }

    private void testEmpty() {
        Holder<Boolean> b1 = new Holder<>();
        Holder<Integer> in2 = new Holder<>();
        Holder<OutStruct> d = new Holder<>();
        Holder<List<OutStruct>> v3 = new Holder<>();
        Holder<List<Integer>> v4 = new Holder<>();
        same("result", client.testEmpty((short) -7, b1, in2, d, v3, v4), -7);
        same("b1", b1.getValue(), false);
        same("in2", in2.getValue(), 0);
        same("d", d.getValue(), new OutStruct());
        same("v3", v3.getValue(), List.of());
        same("v4", v4.getValue(), List.of());
    }

    private void echoBasic() {
        Basic named = new Basic();
        named.e = 70000;
        for (Basic value : List.of(new Basic(), named, Values.basic())) {
            Holder<Basic> o = new Holder<>();
            same("result", allTypes.echoBasic(value, o), value.e);
            same("o", o.getValue(), value);
        }
    }

    private void echoContainers() {
        for (Containers value : List.of(new Containers(), Values.containers())) {
            Holder<Containers> o = new Holder<>();
            allTypes.echoContainers(value, o);
            same("o", o.getValue(), value);
        }
    }

    private void echoBytes() {
        for (byte[] data : List.of(new byte[0], Values.bytes())) {
            same("result", allTypes.echoBytes(data), data);
        }
    }

    private void oneway() throws InterruptedException {
        client.async_sayHelloWorld(null, "note:java");
        for (long until = System.currentTimeMillis() + 5000; !greet("noted:java").equals("true"); ) {
            if (System.currentTimeMillis() > until) {
                throw new IllegalStateException("the server has not run it");
            }
            Thread.sleep(10);
        }
    }

    private void context(String who) {
        Holder<String> greetings = new Holder<>();
        client.sayHelloWorld("context:who", greetings, Map.of("who", who));
        same("context", greetings.getValue(), who);
    }

    /** The one status that TarsJava lets a caller set. */
    private void status() {
        DyeingSwitch.enableUnactiveDyeing("dyed", "");
        try {
            same("status", greet("status:STATUS_DYED_KEY"), "dyed");
        } finally {
            DyeingSwitch.closeActiveDyeing();
        }
    }

    private void timeout() {
        TestTafServicePrx hasty = proxyOf(TestTafServicePrx.class, "PHPTest.PHPServer.obj", 100);
        try {
            hasty.sayHelloWorld("sleep:400", new Holder<>());
        } catch (RuntimeException failure) {
            if (!String.valueOf(failure).contains("timeout")) {
                throw failure;
            }
            same("later answer", greet("sleep:400"), "slept 400");
            return;
        }
        throw new IllegalStateException("no timeout");
    }

    private void large() {
        String name = "\u4e16x".repeat(1 << 18);
        if (!greet(name).equals("hello " + name)) {
            throw new IllegalStateException("other bytes");
        }
    }

    private void concurrent() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(100);
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        List<Future<?>> calls = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            int call = i;
            calls.add(
                    threads.submit(
                            () -> {
                                int delay = 500 - 5 * call;
                                same("answer", greet("sleep:" + delay), "slept " + delay);
                                order.add(call);
                            }));
        }
        for (Future<?> call : calls) {
            call.get();
        }
        threads.shutdown();
        if (order.get(0) < order.get(99)) {
            throw new IllegalStateException("answered in the order of the calls: " + order);
        }
    }

    /** Compares what Gson makes of both: the structs of alltypes have no equals, and maps no order. */
    private static void same(String what, Object got, Object want) {
        JsonElement left = withoutEmpty(GSON.toJsonTree(got));
        JsonElement right = withoutEmpty(GSON.toJsonTree(want));
        if (!left.equals(right)) {
            throw new IllegalStateException("%s: %.120s instead of %.120s".formatted(what, left, right));
        }
    }

    /**
     * TarsJava reads an optional string that was left out, because it is empty, as null, which is not in the JSON. The
     * optional strings of both IDLs are called str and name.
     */
    private static JsonElement withoutEmpty(JsonElement value) {
        if (value instanceof JsonArray array) {
            array.forEach(Client::withoutEmpty);
        } else if (value instanceof JsonObject object) {
            object.entrySet().forEach(member -> withoutEmpty(member.getValue()));
            for (String name : List.of("str", "name")) {
                if (new JsonPrimitive("").equals(object.get(name))) {
                    object.remove(name);
                }
            }
        }
        return value;
    }

    /** A call that the server answers with an error. */
    private static void fails(Case call, int code, String message) throws Exception {
        try {
            call.run();
        } catch (RuntimeException failure) {
            if (failure.getCause() instanceof ServerException error
                    && error.getRet() == code
                    && error.getMessage().endsWith(message)) {
                return;
            }
            throw failure;
        }
        throw new IllegalStateException("success instead of code " + code);
    }
}
