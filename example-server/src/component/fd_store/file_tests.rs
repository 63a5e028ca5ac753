//! The file store: what is in the file at any moment is what was acknowledged.

use super::*;

const NODE: NodeId = NodeId::new(7);

fn fd(number: u64) -> Fd {
    Fd::new(NODE, number)
}

fn room(name: &str) -> Room {
    Room::new(name).unwrap()
}

#[tokio::test]
async fn what_is_acknowledged_is_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/on/demand/fd.log");
    let store = FileFdStore::open(path.clone(), NODE).await.unwrap();
    assert!(store.add_fd_by_key(room("a"), fd(1)).await.unwrap());
    assert!(!store.add_fd_by_key(room("a"), fd(1)).await.unwrap());
    assert!(store.add_fd_by_key(room("a"), fd(2)).await.unwrap());
    assert!(store.add_fd_by_key(room("b"), fd(1)).await.unwrap());
    // As after kill -9: the file is read while the store has not been closed.
    let seen = FileFdStore::inspect(&path).unwrap();
    assert_eq!(seen.members(&room("a")), [fd(1), fd(2)]);
    assert_eq!(seen.len(), 3);

    assert!(store.del_fd_by_key(room("a"), fd(2)).await.unwrap());
    assert_eq!(store.del_fd(fd(1)).await.unwrap(), 2);
    assert!(FileFdStore::inspect(&path).unwrap().is_empty());
}

#[tokio::test]
async fn members_of_a_former_process_are_not_members_of_this_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fd.log");
    let store = FileFdStore::open(path.clone(), NODE).await.unwrap();
    store.add_fd_by_key(room("a"), fd(1)).await.unwrap();
    drop(store);
    let store = FileFdStore::open(path.clone(), NODE).await.unwrap();
    assert_eq!(store.get_fds_by_key(room("a")).await.unwrap(), []);
    assert!(FileFdStore::inspect(&path).unwrap().is_empty());
}

#[tokio::test]
async fn a_log_cut_anywhere_opens_and_works() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fd.log");
    let store = FileFdStore::open(path.clone(), NODE).await.unwrap();
    for number in 0..3 {
        store.add_fd_by_key(room("房间"), fd(number)).await.unwrap();
    }
    drop(store);
    let log = fs::read(&path).unwrap();
    for cut in 0..=log.len() {
        fs::write(&path, &log[..cut]).unwrap();
        let members = FileFdStore::inspect(&path).unwrap().members(&room("房间"));
        assert!(
            members
                .iter()
                .copied()
                .eq((0..members.len() as u64).map(fd)),
            "{cut}"
        );
        let store = FileFdStore::open(path.clone(), NODE).await.unwrap();
        store.add_fd_by_key(room("c"), fd(9)).await.unwrap();
        assert_eq!(
            FileFdStore::inspect(&path).unwrap().members(&room("c")),
            [fd(9)]
        );
    }
}

#[tokio::test]
async fn a_long_history_is_compacted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fd.log");
    let store = FileFdStore::open(path.clone(), NODE).await.unwrap();
    store.add_fd_by_key(room("stays"), fd(1)).await.unwrap();
    for _ in 0..3_000 {
        store.add_fd_by_key(room("goes"), fd(2)).await.unwrap();
        store.del_fd_by_key(room("goes"), fd(2)).await.unwrap();
        assert!(fs::metadata(&path).unwrap().len() < COMPACT_MIN + 100);
    }
    let seen = FileFdStore::inspect(&path).unwrap();
    assert_eq!((seen.len(), seen.members(&room("stays"))), (1, vec![fd(1)]));
}

#[tokio::test]
async fn errors_say_what_and_where() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fd.log");
    let _store = FileFdStore::open(path.clone(), NODE).await.unwrap();
    let error = FileFdStore::open(path.clone(), NODE).await.unwrap_err();
    assert!(matches!(error, FdStoreError::InUse(_)), "{error}");

    let other = directory.path().join("notes.txt");
    fs::write(&other, "mine, do not touch").unwrap();
    let error = FileFdStore::open(other.clone(), NODE).await.unwrap_err();
    assert!(matches!(error, FdStoreError::NotAStore(_)), "{error}");
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine, do not touch");

    let error = FileFdStore::open(directory.path().into(), NODE)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&directory.path().display().to_string()),
        "{error}"
    );
}
