//! The stage of a lesson, in a build that has it.

#[cfg(feature = "lesson")]
pub use comet_chat::lesson::Stage;
#[cfg(not(feature = "lesson"))]
pub use missing::Stage;

#[cfg(not(feature = "lesson"))]
mod missing {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use comet_chat::store::Store;

    /// This build has none.
    pub struct Stage;

    impl Stage {
        pub fn set(_: &[SocketAddr]) -> Result<Stage, &'static str> {
            Err("this build has no lesson: build it with --features lesson")
        }

        pub fn put_on(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
            store
        }
    }
}
