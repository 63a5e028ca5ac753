package interop;

import java.nio.file.Files;
import java.nio.file.Path;

/** Serves both servants; ended by a signal. */
final class Server {
    private Server() {}

    private static final String CONFIG =
            """
            <tars>
              <application>
                enableset=n
                setdivision=NULL
                <server>
                  app=PHPTest
                  server=PHPServer
                  localip=127.0.0.1
                  local=tcp -h 127.0.0.1 -p %s -t 3000
                  basepath=%s
                  datapath=%s
                  logpath=%s
                  loglevel=ERROR
                  <PHPTest.PHPServer.objAdapter>
                    endpoint=tcp -h 127.0.0.1 -p %s -t 60000
                    handlegroup=PHPTest.PHPServer.objAdapter
                    servant=PHPTest.PHPServer.obj
                    protocol=tars
                    maxconns=1000
                    threads=100
                    queuecap=10000
                    queuetimeout=60000
                  </PHPTest.PHPServer.objAdapter>
                  <Tests.AllTypesServer.ObjAdapter>
                    endpoint=tcp -h 127.0.0.1 -p %s -t 60000
                    handlegroup=Tests.AllTypesServer.ObjAdapter
                    servant=Tests.AllTypesServer.Obj
                    protocol=tars
                    maxconns=1000
                    threads=5
                    queuecap=10000
                    queuetimeout=60000
                  </Tests.AllTypesServer.ObjAdapter>
                </server>
                <client>
                  modulename=PHPTest.PHPServer
                </client>
              </application>
            </tars>
            """;

    static void serve(String phpPort, String allTypesPort, String adminPort) throws Exception {
        Path dir = Path.of("java-server").toAbsolutePath(); // in target/interop
        Files.createDirectories(dir);
        Path config = dir.resolve("server.conf");
        Files.writeString(config, CONFIG.formatted(adminPort, dir, dir, dir, phpPort, allTypesPort));
        System.setProperty("config", config.toString());
        com.qq.tars.server.startup.Main.main(new String[0]);
    }
}
