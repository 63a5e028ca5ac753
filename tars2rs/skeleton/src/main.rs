//! A Tars server with one servant, which this program also calls.

mod servant;

use servant::demo::hello_server::hello_obj::classes::hello::Person;
use servant::demo::hello_server::hello_obj::{Hello, HelloServant, HelloServer};
use tars_rpc::server::{Context, Server};
use tars_rpc::{Communicator, Result};

/// By this name clients find the servant.
const OBJ: &str = "Demo.HelloServer.HelloObj";

/// What the servant does.
struct MyHello;

impl Hello for MyHello {
    async fn greet(&self, _cx: &Context, person: Person) -> Result<String> {
        let Person { name, formal } = person;
        let greeting = if formal { "Good day" } else { "Hello" };
        Ok(format!("{greeting}, {name}!"))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Server::builder()
        // Port 0 is any free one.
        .bind(([127, 0, 0, 1], 0).into())
        .servant(OBJ, HelloServer::new(MyHello))
        .listen()
        .await?;
    let port = server.local_addrs()[0].port();
    let server = tokio::spawn(server.serve(async {
        // Without a signal handler it runs until it is killed.
        let _ = tokio::signal::ctrl_c().await;
    }));

    let address = format!("{OBJ}@tcp -h 127.0.0.1 -p {port} -t 60000");
    println!("serving {address}");
    let hello = HelloServant::new(Communicator::new().string_to_proxy(&address)?);
    let person = Person {
        name: "Tars".to_owned(),
        ..Person::default()
    };
    println!("{}", hello.greet(&person).await?);

    println!("Ctrl-C ends it");
    let _ = server.await;
    Ok(())
}
