/// Includes the code that `tars2rs::Builder::to_out_dir` generated, with all its modules.
///
/// It is here rather than in `tars2rs` because the crate that includes needs this one anyway, whereas the compiler is
/// needed by its `build.rs` only.
///
/// ```rust,ignore
/// mod servant {
///     tars_rpc::include_servant!();
/// }
///
/// use servant::php_test::php_server::obj::TestTafServiceServant;
/// ```
///
/// A name is that of another directory in `OUT_DIR`, for a `build.rs` that runs several builders:
/// `include_servant!("other")` goes with `Builder::out_dir(Path::new(&env::var("OUT_DIR")?).join("other"))`.
#[macro_export]
macro_rules! include_servant {
    () => {
        $crate::include_servant!("servant");
    };
    ($dir:literal) => {
        ::core::include!(::core::concat!(
            ::core::env!("OUT_DIR"),
            "/",
            $dir,
            "/mod.rs"
        ));
    };
}
