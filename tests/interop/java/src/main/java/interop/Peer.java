package interop;

/** TarsJava as a peer of scripts/interop.sh: {@code server PORT PORT PORT}, {@code client PORT}. */
public final class Peer {
    private Peer() {}

    public static void main(String[] args) throws Exception {
        if (args.length == 4 && args[0].equals("server")) {
            Server.serve(args[1], args[2], args[3]);
        } else if (args.length == 2 && args[0].equals("client")) {
            try {
                Client.callAll(args[1]);
            } catch (Throwable failure) {
                failure.printStackTrace();
                System.exit(1); // threads of the framework would keep it running
            }
        } else {
            System.err.println("server PORT PORT PORT, or client PORT");
            System.exit(2);
        }
    }
}
