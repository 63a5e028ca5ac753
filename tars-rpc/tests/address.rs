//! Addresses: every form, there and back, and what is said about wrong ones.

use tars_rpc::{Address, Endpoint, Transport};

#[test]
fn there_and_back() {
    for text in [
        "App.Server.Obj",
        "AdminObj@tcp -h 127.0.0.1 -p 1 -t 3000",
        "App.Server.Obj@tcp -h host.example -p 65535",
        "App.Server.Obj@tcp -h ::1 -p 80 -t 60000:udp -h fe80::1%eth0 -p 81:ssl -h 10.0.0.1 -p 82",
        "App.Server.Obj@tcp -h a -p 0 -t 1 -w 100 -v 1 -q 3 -e 1 -g 7 -b 127.0.0.1",
        "App.Server.Obj@tcp -h a -p 0 -w -1",
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
    }
}

#[test]
fn liberal_in_order_space_and_weight() {
    let address: Address = " App.Server.Obj @ tcp  -p 80 -w 400\t-h * : ssl -t 5 -h ::1 -p 81 "
        .parse()
        .unwrap();
    assert_eq!(
        address.to_string(),
        "App.Server.Obj@tcp -h 0.0.0.0 -p 80 -w 100:ssl -h ::1 -p 81 -t 5"
    );
    assert_eq!(address.endpoints[1].transport, Transport::Ssl);
    assert_eq!(address.endpoints[1].authority(), "[::1]:81");
}

#[test]
fn faults_say_what_and_where() {
    for (text, column, message) in [
        ("", 1, "the name of an object is missing"),
        ("@tcp -h a -p 1", 1, "the name of an object is missing"),
        (
            "App.Server.Obj tcp -h a",
            15,
            "a space in the name of the object; an `@` belongs between name and endpoints",
        ),
        ("O@", 3, "an endpoint is missing"),
        (
            "O@tcp -h a -p 1:",
            15,
            "`-p` takes a port from 0 to 65535, not `1:`",
        ),
        (
            "O@http -h a -p 1",
            3,
            "unknown transport `http`; tcp, udp and ssl are known",
        ),
        (
            "O@tcp -h a",
            11,
            "an endpoint needs both `-h HOST` and `-p PORT`",
        ),
        (
            "O@tcp -p 1",
            11,
            "an endpoint needs both `-h HOST` and `-p PORT`",
        ),
        ("O@tcp -h a -p", 14, "`-p` needs a value"),
        (
            "O@tcp -h a -p 65536",
            15,
            "`-p` takes a port from 0 to 65535, not `65536`",
        ),
        (
            "O@tcp -h a -p -1",
            15,
            "`-p` takes a port from 0 to 65535, not `-1`",
        ),
        (
            "O@tcp -h a -p 1 -t x",
            20,
            "`-t` takes milliseconds, not `x`",
        ),
        ("O@tcp -h a -p 1 -w x", 20, "`-w` takes a number, not `x`"),
        ("O@tcp -h a -p 1 -x 1", 17, "unknown option `-x`"),
        (
            "O@tcp -h ü -p ß:tcp -h a -p 1",
            15,
            "`-p` takes a port from 0 to 65535, not `ß`",
        ),
    ] {
        let error = text.parse::<Address>().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{message}, at column {column} of `{text}`")
        );
    }
    assert!("tcp -h a -p 1:tcp -h b -p 1".parse::<Endpoint>().is_err());
}

#[test]
fn no_text_is_a_panic() {
    let mut rng = fastrand::Rng::with_seed(1);
    let parts = [
        "O", "@", ":", "tcp", "udp ", " -h", " -p", " 1", "::1", "*", "ü", "\u{2003}", " ",
    ];
    for _ in 0..20_000 {
        let text: String = (0..rng.usize(..12))
            .filter_map(|_| rng.choice(parts))
            .collect();
        if let Ok(address) = text.parse::<Address>() {
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}
