//! Keeps `src/servant` up to date with the interface in `tars`.

fn main() -> Result<(), tars2rs::Error> {
    tars2rs::Builder::new()
        .config("tars/tarsclient.proto.toml")
        .config("tars/tarsserver.proto.toml")
        .run()?;
    Ok(())
}
