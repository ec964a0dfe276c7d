from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

ALREADY_EXISTS: Code
CANCELLED: Code
CODE_UNSPECIFIED: Code
CONFLICT: Code
CORRUPT: Code
DEADLINE_EXCEEDED: Code
DESCRIPTOR: _descriptor.FileDescriptor
DISK_FULL: Code
INTERNAL: Code
INVALID_ARGUMENT: Code
IO_ERROR: Code
LIMIT_EXCEEDED: Code
NOT_FOUND: Code
PERMISSION_DENIED: Code
POISON: Code
PROTOCOL_ERROR: Code
QUERY_SYNTAX: Code
SHUTTING_DOWN: Code
STALE_CURSOR: Code
UNAVAILABLE: Code
UNSUPPORTED: Code

class AcceptRequest(_message.Message):
    __slots__ = ["root"]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    root: bytes
    def __init__(self, root: _Optional[bytes] = ...) -> None: ...

class AccountReply(_message.Message):
    __slots__ = ["key", "secret", "user"]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    key: ApiKey
    secret: str
    user: User
    def __init__(self, user: _Optional[_Union[User, _Mapping]] = ..., key: _Optional[_Union[ApiKey, _Mapping]] = ..., secret: _Optional[str] = ...) -> None: ...

class AccountRequest(_message.Message):
    __slots__ = ["action", "id", "key_name", "name", "password", "role"]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    KEY_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    action: str
    id: bytes
    key_name: str
    name: str
    password: str
    role: str
    def __init__(self, action: _Optional[str] = ..., name: _Optional[str] = ..., role: _Optional[str] = ..., password: _Optional[str] = ..., key_name: _Optional[str] = ..., id: _Optional[bytes] = ...) -> None: ...

class AccountsReply(_message.Message):
    __slots__ = ["keys", "sessions", "users"]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[ApiKey]
    sessions: _containers.RepeatedCompositeFieldContainer[Session]
    users: _containers.RepeatedCompositeFieldContainer[User]
    def __init__(self, users: _Optional[_Iterable[_Union[User, _Mapping]]] = ..., keys: _Optional[_Iterable[_Union[ApiKey, _Mapping]]] = ..., sessions: _Optional[_Iterable[_Union[Session, _Mapping]]] = ...) -> None: ...

class AccountsRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AddReply(_message.Message):
    __slots__ = ["files_changed", "files_failed", "files_listed", "files_missing", "files_moved", "files_new", "files_read", "folders", "problem_count", "problems", "roots"]
    FILES_CHANGED_FIELD_NUMBER: _ClassVar[int]
    FILES_FAILED_FIELD_NUMBER: _ClassVar[int]
    FILES_LISTED_FIELD_NUMBER: _ClassVar[int]
    FILES_MISSING_FIELD_NUMBER: _ClassVar[int]
    FILES_MOVED_FIELD_NUMBER: _ClassVar[int]
    FILES_NEW_FIELD_NUMBER: _ClassVar[int]
    FILES_READ_FIELD_NUMBER: _ClassVar[int]
    FOLDERS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    files_changed: int
    files_failed: int
    files_listed: int
    files_missing: int
    files_moved: int
    files_new: int
    files_read: int
    folders: int
    problem_count: int
    problems: _containers.RepeatedCompositeFieldContainer[Error]
    roots: _containers.RepeatedCompositeFieldContainer[Root]
    def __init__(self, roots: _Optional[_Iterable[_Union[Root, _Mapping]]] = ..., folders: _Optional[int] = ..., files_listed: _Optional[int] = ..., files_new: _Optional[int] = ..., files_changed: _Optional[int] = ..., files_missing: _Optional[int] = ..., files_read: _Optional[int] = ..., files_failed: _Optional[int] = ..., problems: _Optional[_Iterable[_Union[Error, _Mapping]]] = ..., problem_count: _Optional[int] = ..., files_moved: _Optional[int] = ...) -> None: ...

class AddRequest(_message.Message):
    __slots__ = ["cross_mounts", "exclude", "once", "paths", "wait"]
    CROSS_MOUNTS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_FIELD_NUMBER: _ClassVar[int]
    ONCE_FIELD_NUMBER: _ClassVar[int]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    cross_mounts: bool
    exclude: _containers.RepeatedScalarFieldContainer[str]
    once: bool
    paths: _containers.RepeatedScalarFieldContainer[bytes]
    wait: bool
    def __init__(self, paths: _Optional[_Iterable[bytes]] = ..., once: bool = ..., cross_mounts: bool = ..., wait: bool = ..., exclude: _Optional[_Iterable[str]] = ...) -> None: ...

class Album(_message.Message):
    __slots__ = ["artist", "artist_id", "artist_ids", "artist_names", "compilation", "cover", "created_at_ns", "duration", "genres", "id", "musicbrainz_id", "name", "played_at_ns", "plays", "rating", "songs", "starred_at_ns", "year"]
    ARTIST_FIELD_NUMBER: _ClassVar[int]
    ARTIST_IDS_FIELD_NUMBER: _ClassVar[int]
    ARTIST_ID_FIELD_NUMBER: _ClassVar[int]
    ARTIST_NAMES_FIELD_NUMBER: _ClassVar[int]
    COMPILATION_FIELD_NUMBER: _ClassVar[int]
    COVER_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    GENRES_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MUSICBRAINZ_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAYED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    PLAYS_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    SONGS_FIELD_NUMBER: _ClassVar[int]
    STARRED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    artist: str
    artist_id: bytes
    artist_ids: _containers.RepeatedScalarFieldContainer[bytes]
    artist_names: _containers.RepeatedScalarFieldContainer[str]
    compilation: bool
    cover: bytes
    created_at_ns: int
    duration: float
    genres: _containers.RepeatedScalarFieldContainer[str]
    id: bytes
    musicbrainz_id: str
    name: str
    played_at_ns: int
    plays: int
    rating: float
    songs: int
    starred_at_ns: int
    year: int
    def __init__(self, id: _Optional[bytes] = ..., name: _Optional[str] = ..., artist: _Optional[str] = ..., artist_id: _Optional[bytes] = ..., songs: _Optional[int] = ..., duration: _Optional[float] = ..., year: _Optional[int] = ..., genres: _Optional[_Iterable[str]] = ..., created_at_ns: _Optional[int] = ..., cover: _Optional[bytes] = ..., starred_at_ns: _Optional[int] = ..., rating: _Optional[float] = ..., plays: _Optional[int] = ..., played_at_ns: _Optional[int] = ..., musicbrainz_id: _Optional[str] = ..., compilation: bool = ..., artist_ids: _Optional[_Iterable[bytes]] = ..., artist_names: _Optional[_Iterable[str]] = ...) -> None: ...

class ApiKey(_message.Message):
    __slots__ = ["created_at_ns", "id", "name", "used_at_ns", "user"]
    CREATED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    USED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    created_at_ns: int
    id: bytes
    name: str
    used_at_ns: int
    user: str
    def __init__(self, id: _Optional[bytes] = ..., user: _Optional[str] = ..., name: _Optional[str] = ..., created_at_ns: _Optional[int] = ..., used_at_ns: _Optional[int] = ...) -> None: ...

class ArchiveFinding(_message.Message):
    __slots__ = ["code", "message", "path", "sha1"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA1_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    path: bytes
    sha1: str
    def __init__(self, code: _Optional[str] = ..., path: _Optional[bytes] = ..., sha1: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ArchiveReply(_message.Message):
    __slots__ = ["bytes", "changed", "files", "findings", "known", "problems", "unchanged"]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    changed: bool
    files: int
    findings: _containers.RepeatedCompositeFieldContainer[ArchiveFinding]
    known: int
    problems: _containers.RepeatedCompositeFieldContainer[Error]
    unchanged: int
    def __init__(self, files: _Optional[int] = ..., known: _Optional[int] = ..., unchanged: _Optional[int] = ..., bytes: _Optional[int] = ..., changed: bool = ..., findings: _Optional[_Iterable[_Union[ArchiveFinding, _Mapping]]] = ..., problems: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class ArchiveRequest(_message.Message):
    __slots__ = ["archive", "quick", "source", "verify"]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    QUICK_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VERIFY_FIELD_NUMBER: _ClassVar[int]
    archive: bytes
    quick: bool
    source: bytes
    verify: bool
    def __init__(self, source: _Optional[bytes] = ..., archive: _Optional[bytes] = ..., verify: bool = ..., quick: bool = ...) -> None: ...

class Artist(_message.Message):
    __slots__ = ["albums", "id", "musicbrainz_id", "name", "rating", "songs", "sort_name", "starred_at_ns"]
    ALBUMS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MUSICBRAINZ_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    SONGS_FIELD_NUMBER: _ClassVar[int]
    SORT_NAME_FIELD_NUMBER: _ClassVar[int]
    STARRED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    albums: int
    id: bytes
    musicbrainz_id: str
    name: str
    rating: float
    songs: int
    sort_name: str
    starred_at_ns: int
    def __init__(self, id: _Optional[bytes] = ..., name: _Optional[str] = ..., albums: _Optional[int] = ..., songs: _Optional[int] = ..., starred_at_ns: _Optional[int] = ..., rating: _Optional[float] = ..., sort_name: _Optional[str] = ..., musicbrainz_id: _Optional[str] = ...) -> None: ...

class AuthenticateReply(_message.Message):
    __slots__ = ["id", "nobody", "user"]
    ID_FIELD_NUMBER: _ClassVar[int]
    NOBODY_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    nobody: bool
    user: User
    def __init__(self, user: _Optional[_Union[User, _Mapping]] = ..., id: _Optional[bytes] = ..., nobody: bool = ...) -> None: ...

class AuthenticateRequest(_message.Message):
    __slots__ = ["key", "name", "origin", "salt", "session", "token"]
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    key: str
    name: str
    origin: str
    salt: str
    session: str
    token: str
    def __init__(self, session: _Optional[str] = ..., key: _Optional[str] = ..., name: _Optional[str] = ..., token: _Optional[str] = ..., salt: _Optional[str] = ..., origin: _Optional[str] = ...) -> None: ...

class BrowseReply(_message.Message):
    __slots__ = ["above", "albums", "artists", "cursor", "folder", "folders", "genres", "items", "links"]
    ABOVE_FIELD_NUMBER: _ClassVar[int]
    ALBUMS_FIELD_NUMBER: _ClassVar[int]
    ARTISTS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    FOLDERS_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    GENRES_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    above: _containers.RepeatedCompositeFieldContainer[Folder]
    albums: _containers.RepeatedCompositeFieldContainer[Album]
    artists: _containers.RepeatedCompositeFieldContainer[Artist]
    cursor: bytes
    folder: Folder
    folders: _containers.RepeatedCompositeFieldContainer[Folder]
    genres: _containers.RepeatedCompositeFieldContainer[Genre]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    links: _containers.RepeatedCompositeFieldContainer[Link]
    def __init__(self, artists: _Optional[_Iterable[_Union[Artist, _Mapping]]] = ..., albums: _Optional[_Iterable[_Union[Album, _Mapping]]] = ..., genres: _Optional[_Iterable[_Union[Genre, _Mapping]]] = ..., folders: _Optional[_Iterable[_Union[Folder, _Mapping]]] = ..., items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., cursor: _Optional[bytes] = ..., folder: _Optional[_Union[Folder, _Mapping]] = ..., above: _Optional[_Iterable[_Union[Folder, _Mapping]]] = ..., links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ...) -> None: ...

class BrowseRequest(_message.Message):
    __slots__ = ["all_artists", "artist", "cursor", "folder", "genre", "id", "items", "limit", "of", "prefix", "query", "sort", "starred", "what", "year_from", "year_to"]
    ALL_ARTISTS_FIELD_NUMBER: _ClassVar[int]
    ARTIST_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    GENRE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SORT_FIELD_NUMBER: _ClassVar[int]
    STARRED_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    YEAR_FROM_FIELD_NUMBER: _ClassVar[int]
    YEAR_TO_FIELD_NUMBER: _ClassVar[int]
    all_artists: bool
    artist: bytes
    cursor: bytes
    folder: int
    genre: str
    id: bytes
    items: bool
    limit: int
    of: _containers.RepeatedScalarFieldContainer[bytes]
    prefix: str
    query: str
    sort: str
    starred: bool
    what: str
    year_from: int
    year_to: int
    def __init__(self, what: _Optional[str] = ..., id: _Optional[bytes] = ..., artist: _Optional[bytes] = ..., query: _Optional[str] = ..., sort: _Optional[str] = ..., limit: _Optional[int] = ..., cursor: _Optional[bytes] = ..., prefix: _Optional[str] = ..., folder: _Optional[int] = ..., items: bool = ..., all_artists: bool = ..., year_from: _Optional[int] = ..., year_to: _Optional[int] = ..., genre: _Optional[str] = ..., starred: bool = ..., of: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ["id"]
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ["action", "actor", "at_ns", "host", "item", "operation", "seq", "target", "target_kind", "value_json"]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    AT_NS_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TARGET_KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_JSON_FIELD_NUMBER: _ClassVar[int]
    action: str
    actor: str
    at_ns: int
    host: bytes
    item: bytes
    operation: bytes
    seq: int
    target: str
    target_kind: str
    value_json: str
    def __init__(self, seq: _Optional[int] = ..., at_ns: _Optional[int] = ..., host: _Optional[bytes] = ..., actor: _Optional[str] = ..., operation: _Optional[bytes] = ..., target_kind: _Optional[str] = ..., target: _Optional[str] = ..., action: _Optional[str] = ..., value_json: _Optional[str] = ..., item: _Optional[bytes] = ...) -> None: ...

class ChangesReply(_message.Message):
    __slots__ = ["changes", "epoch", "items", "last", "reason", "resync", "snapshot_ends"]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESYNC_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ENDS_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    epoch: bytes
    items: _containers.RepeatedCompositeFieldContainer[Item]
    last: int
    reason: str
    resync: bool
    snapshot_ends: bool
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., epoch: _Optional[bytes] = ..., last: _Optional[int] = ..., resync: bool = ..., items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., reason: _Optional[str] = ..., snapshot_ends: bool = ...) -> None: ...

class ChangesRequest(_message.Message):
    __slots__ = ["epoch", "follow", "limit", "query", "since"]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    epoch: bytes
    follow: bool
    limit: int
    query: str
    since: int
    def __init__(self, epoch: _Optional[bytes] = ..., since: _Optional[int] = ..., follow: bool = ..., query: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ChecksumReply(_message.Message):
    __slots__ = ["digests", "item", "keys", "path", "path_display", "problem", "scope", "stored", "stream_algorithm", "target", "tracks"]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    PATH_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    STREAM_ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    digests: _containers.RepeatedCompositeFieldContainer[Digest]
    item: bytes
    keys: _containers.RepeatedCompositeFieldContainer[Key]
    path: bytes
    path_display: str
    problem: Error
    scope: str
    stored: bool
    stream_algorithm: str
    target: Target
    tracks: _containers.RepeatedCompositeFieldContainer[Track]
    def __init__(self, target: _Optional[_Union[Target, _Mapping]] = ..., item: _Optional[bytes] = ..., path: _Optional[bytes] = ..., path_display: _Optional[str] = ..., scope: _Optional[str] = ..., stream_algorithm: _Optional[str] = ..., digests: _Optional[_Iterable[_Union[Digest, _Mapping]]] = ..., stored: bool = ..., problem: _Optional[_Union[Error, _Mapping]] = ..., tracks: _Optional[_Iterable[_Union[Track, _Mapping]]] = ..., keys: _Optional[_Iterable[_Union[Key, _Mapping]]] = ...) -> None: ...

class ChecksumRequest(_message.Message):
    __slots__ = ["algorithms", "scopes", "targets"]
    ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    algorithms: _containers.RepeatedScalarFieldContainer[str]
    scopes: _containers.RepeatedScalarFieldContainer[str]
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., scopes: _Optional[_Iterable[str]] = ..., algorithms: _Optional[_Iterable[str]] = ...) -> None: ...

class ClientFrame(_message.Message):
    __slots__ = ["cancel", "hello", "request"]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    cancel: Cancel
    hello: Hello
    request: Request
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., request: _Optional[_Union[Request, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ...) -> None: ...

class CollectReply(_message.Message):
    __slots__ = ["collection", "events", "last", "problems"]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    collection: Collection
    events: int
    last: int
    problems: _containers.RepeatedCompositeFieldContainer[Error]
    def __init__(self, collection: _Optional[_Union[Collection, _Mapping]] = ..., events: _Optional[int] = ..., last: _Optional[int] = ..., problems: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class CollectRequest(_message.Message):
    __slots__ = ["action", "kind", "name", "new_name", "place", "query", "targets", "to"]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NEW_NAME_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    action: str
    kind: str
    name: str
    new_name: str
    place: int
    query: str
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    to: int
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ..., action: _Optional[str] = ..., targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., query: _Optional[str] = ..., place: _Optional[int] = ..., to: _Optional[int] = ..., new_name: _Optional[str] = ...) -> None: ...

class Collection(_message.Message):
    __slots__ = ["actor", "created_at_ns", "entries", "id", "kind", "name", "query", "size"]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    actor: str
    created_at_ns: int
    entries: _containers.RepeatedScalarFieldContainer[bytes]
    id: bytes
    kind: str
    name: str
    query: str
    size: int
    def __init__(self, id: _Optional[bytes] = ..., kind: _Optional[str] = ..., name: _Optional[str] = ..., actor: _Optional[str] = ..., size: _Optional[int] = ..., entries: _Optional[_Iterable[bytes]] = ..., created_at_ns: _Optional[int] = ..., query: _Optional[str] = ...) -> None: ...

class CollectionsReply(_message.Message):
    __slots__ = ["collections"]
    COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    collections: _containers.RepeatedCompositeFieldContainer[Collection]
    def __init__(self, collections: _Optional[_Iterable[_Union[Collection, _Mapping]]] = ...) -> None: ...

class CollectionsRequest(_message.Message):
    __slots__ = ["entries", "kind", "name"]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    entries: bool
    kind: str
    name: str
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ..., entries: bool = ...) -> None: ...

class CompleteReply(_message.Message):
    __slots__ = ["suggestions"]
    SUGGESTIONS_FIELD_NUMBER: _ClassVar[int]
    suggestions: _containers.RepeatedCompositeFieldContainer[Suggestion]
    def __init__(self, suggestions: _Optional[_Iterable[_Union[Suggestion, _Mapping]]] = ...) -> None: ...

class CompleteRequest(_message.Message):
    __slots__ = ["cursor", "limit", "text"]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    cursor: int
    limit: int
    text: str
    def __init__(self, text: _Optional[str] = ..., cursor: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class Digest(_message.Message):
    __slots__ = ["algorithm", "scope", "value"]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    algorithm: str
    scope: str
    value: bytes
    def __init__(self, algorithm: _Optional[str] = ..., value: _Optional[bytes] = ..., scope: _Optional[str] = ...) -> None: ...

class DuplicatesReply(_message.Message):
    __slots__ = ["computed", "groups", "last", "left_out"]
    COMPUTED_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    computed: int
    groups: _containers.RepeatedCompositeFieldContainer[Group]
    last: bool
    left_out: int
    def __init__(self, groups: _Optional[_Iterable[_Union[Group, _Mapping]]] = ..., last: bool = ..., computed: _Optional[int] = ..., left_out: _Optional[int] = ...) -> None: ...

class DuplicatesRequest(_message.Message):
    __slots__ = ["below", "kind", "other", "query", "root"]
    BELOW_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    below: int
    kind: str
    other: int
    query: str
    root: int
    def __init__(self, kind: _Optional[str] = ..., root: _Optional[int] = ..., other: _Optional[int] = ..., below: _Optional[int] = ..., query: _Optional[str] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ["code", "input", "input_display", "message", "position", "retryable"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    INPUT_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    code: Code
    input: bytes
    input_display: str
    message: str
    position: int
    retryable: bool
    def __init__(self, code: _Optional[_Union[Code, str]] = ..., message: _Optional[str] = ..., input: _Optional[bytes] = ..., input_display: _Optional[str] = ..., retryable: bool = ..., position: _Optional[int] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ["parameters", "plan", "share", "sql", "tree"]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    parameters: _containers.RepeatedScalarFieldContainer[str]
    plan: _containers.RepeatedScalarFieldContainer[str]
    share: float
    sql: str
    tree: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, tree: _Optional[_Iterable[str]] = ..., sql: _Optional[str] = ..., parameters: _Optional[_Iterable[str]] = ..., plan: _Optional[_Iterable[str]] = ..., share: _Optional[float] = ...) -> None: ...

class ExportReply(_message.Message):
    __slots__ = ["lines"]
    LINES_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, lines: _Optional[_Iterable[str]] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Facet(_message.Message):
    __slots__ = ["field", "more", "values"]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    field: str
    more: bool
    values: _containers.RepeatedCompositeFieldContainer[FacetValue]
    def __init__(self, field: _Optional[str] = ..., values: _Optional[_Iterable[_Union[FacetValue, _Mapping]]] = ..., more: bool = ...) -> None: ...

class FacetValue(_message.Message):
    __slots__ = ["items", "value"]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    items: int
    value: str
    def __init__(self, value: _Optional[str] = ..., items: _Optional[int] = ...) -> None: ...

class File(_message.Message):
    __slots__ = ["ctime_ns", "digests", "fields_json", "handler", "handler_version", "host", "id", "inode", "item", "missing_since_ns", "mode", "mtime_ns", "nlink", "path", "path_display", "problem", "size", "sources_json", "state", "symlink_target", "tags_json", "type"]
    CTIME_NS_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    FIELDS_JSON_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    HANDLER_VERSION_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    INODE_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    MISSING_SINCE_NS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    MTIME_NS_FIELD_NUMBER: _ClassVar[int]
    NLINK_FIELD_NUMBER: _ClassVar[int]
    PATH_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SOURCES_JSON_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SYMLINK_TARGET_FIELD_NUMBER: _ClassVar[int]
    TAGS_JSON_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ctime_ns: int
    digests: _containers.RepeatedCompositeFieldContainer[Digest]
    fields_json: str
    handler: str
    handler_version: int
    host: bytes
    id: int
    inode: int
    item: bytes
    missing_since_ns: int
    mode: int
    mtime_ns: int
    nlink: int
    path: bytes
    path_display: str
    problem: Error
    size: int
    sources_json: str
    state: str
    symlink_target: bytes
    tags_json: str
    type: str
    def __init__(self, id: _Optional[int] = ..., item: _Optional[bytes] = ..., path: _Optional[bytes] = ..., path_display: _Optional[str] = ..., type: _Optional[str] = ..., size: _Optional[int] = ..., mtime_ns: _Optional[int] = ..., state: _Optional[str] = ..., missing_since_ns: _Optional[int] = ..., handler: _Optional[str] = ..., handler_version: _Optional[int] = ..., problem: _Optional[_Union[Error, _Mapping]] = ..., fields_json: _Optional[str] = ..., tags_json: _Optional[str] = ..., sources_json: _Optional[str] = ..., digests: _Optional[_Iterable[_Union[Digest, _Mapping]]] = ..., nlink: _Optional[int] = ..., inode: _Optional[int] = ..., ctime_ns: _Optional[int] = ..., mode: _Optional[int] = ..., symlink_target: _Optional[bytes] = ..., host: _Optional[bytes] = ...) -> None: ...

class Folder(_message.Message):
    __slots__ = ["files", "folders", "id", "mtime_ns", "name", "parent", "path", "root"]
    FILES_FIELD_NUMBER: _ClassVar[int]
    FOLDERS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MTIME_NS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    files: int
    folders: int
    id: int
    mtime_ns: int
    name: str
    parent: int
    path: bytes
    root: int
    def __init__(self, id: _Optional[int] = ..., parent: _Optional[int] = ..., name: _Optional[str] = ..., root: _Optional[int] = ..., files: _Optional[int] = ..., folders: _Optional[int] = ..., path: _Optional[bytes] = ..., mtime_ns: _Optional[int] = ...) -> None: ...

class ForgetReply(_message.Message):
    __slots__ = ["files", "items", "problems", "roots"]
    FILES_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    files: int
    items: int
    problems: _containers.RepeatedCompositeFieldContainer[Error]
    roots: int
    def __init__(self, files: _Optional[int] = ..., items: _Optional[int] = ..., roots: _Optional[int] = ..., problems: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class ForgetRequest(_message.Message):
    __slots__ = ["missing_only", "targets", "work"]
    MISSING_ONLY_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    WORK_FIELD_NUMBER: _ClassVar[int]
    missing_only: bool
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    work: bool
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., missing_only: bool = ..., work: bool = ...) -> None: ...

class Genre(_message.Message):
    __slots__ = ["albums", "name", "songs"]
    ALBUMS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SONGS_FIELD_NUMBER: _ClassVar[int]
    albums: int
    name: str
    songs: int
    def __init__(self, name: _Optional[str] = ..., songs: _Optional[int] = ..., albums: _Optional[int] = ...) -> None: ...

class GetReply(_message.Message):
    __slots__ = ["item", "problem", "target"]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    item: Item
    problem: Error
    target: Target
    def __init__(self, target: _Optional[_Union[Target, _Mapping]] = ..., item: _Optional[_Union[Item, _Mapping]] = ..., problem: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ["light", "targets"]
    LIGHT_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    light: bool
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., light: bool = ...) -> None: ...

class Greeting(_message.Message):
    __slots__ = ["capabilities", "error", "host", "limits", "protocol", "role", "server"]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    error: Error
    host: bytes
    limits: Limits
    protocol: int
    role: str
    server: str
    def __init__(self, protocol: _Optional[int] = ..., server: _Optional[str] = ..., host: _Optional[bytes] = ..., capabilities: _Optional[_Iterable[str]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., role: _Optional[str] = ..., error: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ["files", "kind", "size", "wasted"]
    FILES_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    WASTED_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[File]
    kind: str
    size: int
    wasted: int
    def __init__(self, kind: _Optional[str] = ..., size: _Optional[int] = ..., files: _Optional[_Iterable[_Union[File, _Mapping]]] = ..., wasted: _Optional[int] = ...) -> None: ...

class HandlerInfo(_message.Message):
    __slots__ = ["application", "descriptors", "extensions", "fields", "kinds", "name", "operations", "sandbox", "summary", "version"]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTORS_FIELD_NUMBER: _ClassVar[int]
    EXTENSIONS_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    application: str
    descriptors: bool
    extensions: _containers.RepeatedScalarFieldContainer[str]
    fields: _containers.RepeatedScalarFieldContainer[str]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    name: str
    operations: _containers.RepeatedScalarFieldContainer[str]
    sandbox: str
    summary: str
    version: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., application: _Optional[str] = ..., summary: _Optional[str] = ..., kinds: _Optional[_Iterable[str]] = ..., extensions: _Optional[_Iterable[str]] = ..., operations: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[str]] = ..., descriptors: bool = ..., sandbox: _Optional[str] = ...) -> None: ...

class HandlersReply(_message.Message):
    __slots__ = ["handlers"]
    HANDLERS_FIELD_NUMBER: _ClassVar[int]
    handlers: _containers.RepeatedCompositeFieldContainer[HandlerInfo]
    def __init__(self, handlers: _Optional[_Iterable[_Union[HandlerInfo, _Mapping]]] = ...) -> None: ...

class HandlersRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Hello(_message.Message):
    __slots__ = ["client", "protocol_max", "protocol_min", "require"]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MAX_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MIN_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_FIELD_NUMBER: _ClassVar[int]
    client: str
    protocol_max: int
    protocol_min: int
    require: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, protocol_min: _Optional[int] = ..., protocol_max: _Optional[int] = ..., client: _Optional[str] = ..., require: _Optional[_Iterable[str]] = ...) -> None: ...

class HistoryReply(_message.Message):
    __slots__ = ["changes", "item", "lineage", "problem", "revisions", "stored", "target"]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    LINEAGE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    item: bytes
    lineage: _containers.RepeatedCompositeFieldContainer[Lineage]
    problem: Error
    revisions: _containers.RepeatedCompositeFieldContainer[Revision]
    stored: _containers.RepeatedCompositeFieldContainer[Stored]
    target: Target
    def __init__(self, target: _Optional[_Union[Target, _Mapping]] = ..., problem: _Optional[_Union[Error, _Mapping]] = ..., item: _Optional[bytes] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., revisions: _Optional[_Iterable[_Union[Revision, _Mapping]]] = ..., lineage: _Optional[_Iterable[_Union[Lineage, _Mapping]]] = ..., stored: _Optional[_Iterable[_Union[Stored, _Mapping]]] = ...) -> None: ...

class HistoryRequest(_message.Message):
    __slots__ = ["targets"]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ...) -> None: ...

class Item(_message.Message):
    __slots__ = ["album", "artist", "date", "duration", "files", "format", "height", "id", "keys", "kind", "successor", "title", "width", "work_json"]
    ALBUM_FIELD_NUMBER: _ClassVar[int]
    ARTIST_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUCCESSOR_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    WORK_JSON_FIELD_NUMBER: _ClassVar[int]
    album: str
    artist: str
    date: str
    duration: float
    files: _containers.RepeatedCompositeFieldContainer[File]
    format: str
    height: int
    id: bytes
    keys: _containers.RepeatedCompositeFieldContainer[Key]
    kind: str
    successor: bytes
    title: str
    width: int
    work_json: str
    def __init__(self, id: _Optional[bytes] = ..., kind: _Optional[str] = ..., format: _Optional[str] = ..., title: _Optional[str] = ..., artist: _Optional[str] = ..., album: _Optional[str] = ..., duration: _Optional[float] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., date: _Optional[str] = ..., files: _Optional[_Iterable[_Union[File, _Mapping]]] = ..., keys: _Optional[_Iterable[_Union[Key, _Mapping]]] = ..., work_json: _Optional[str] = ..., successor: _Optional[bytes] = ...) -> None: ...

class Key(_message.Message):
    __slots__ = ["algorithm", "grade", "value"]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    GRADE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    algorithm: str
    grade: str
    value: bytes
    def __init__(self, grade: _Optional[str] = ..., algorithm: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class LayoutFinding(_message.Message):
    __slots__ = ["code", "message", "path"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    path: str
    def __init__(self, path: _Optional[str] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class LayoutReply(_message.Message):
    __slots__ = ["findings", "top", "trials"]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[LayoutFinding]
    top: bytes
    trials: _containers.RepeatedCompositeFieldContainer[LayoutTrial]
    def __init__(self, top: _Optional[bytes] = ..., findings: _Optional[_Iterable[_Union[LayoutFinding, _Mapping]]] = ..., trials: _Optional[_Iterable[_Union[LayoutTrial, _Mapping]]] = ...) -> None: ...

class LayoutRequest(_message.Message):
    __slots__ = ["check", "group", "path", "photos", "torrent_staging"]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    TORRENT_STAGING_FIELD_NUMBER: _ClassVar[int]
    check: bool
    group: str
    path: bytes
    photos: bool
    torrent_staging: bool
    def __init__(self, path: _Optional[bytes] = ..., check: bool = ..., group: _Optional[str] = ..., torrent_staging: bool = ..., photos: bool = ...) -> None: ...

class LayoutTrial(_message.Message):
    __slots__ = ["goal", "link", "rename", "source"]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    RENAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    goal: str
    link: str
    rename: str
    source: str
    def __init__(self, source: _Optional[str] = ..., goal: _Optional[str] = ..., link: _Optional[str] = ..., rename: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ["inbound_frame_bytes", "outbound_frame_bytes", "query_text_bytes", "request_bytes", "requests_in_flight"]
    INBOUND_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    OUTBOUND_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    QUERY_TEXT_BYTES_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
    inbound_frame_bytes: int
    outbound_frame_bytes: int
    query_text_bytes: int
    request_bytes: int
    requests_in_flight: int
    def __init__(self, requests_in_flight: _Optional[int] = ..., inbound_frame_bytes: _Optional[int] = ..., outbound_frame_bytes: _Optional[int] = ..., request_bytes: _Optional[int] = ..., query_text_bytes: _Optional[int] = ...) -> None: ...

class Lineage(_message.Message):
    __slots__ = ["at_ns", "new", "old", "relation", "state"]
    AT_NS_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    OLD_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    at_ns: int
    new: bytes
    old: bytes
    relation: str
    state: str
    def __init__(self, old: _Optional[bytes] = ..., new: _Optional[bytes] = ..., relation: _Optional[str] = ..., state: _Optional[str] = ..., at_ns: _Optional[int] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ["album", "artist_names", "artists", "item"]
    ALBUM_FIELD_NUMBER: _ClassVar[int]
    ARTISTS_FIELD_NUMBER: _ClassVar[int]
    ARTIST_NAMES_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    album: bytes
    artist_names: _containers.RepeatedScalarFieldContainer[str]
    artists: _containers.RepeatedScalarFieldContainer[bytes]
    item: bytes
    def __init__(self, item: _Optional[bytes] = ..., album: _Optional[bytes] = ..., artists: _Optional[_Iterable[bytes]] = ..., artist_names: _Optional[_Iterable[str]] = ...) -> None: ...

class LoginReply(_message.Message):
    __slots__ = ["expires_at_ns", "session", "user"]
    EXPIRES_AT_NS_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    expires_at_ns: int
    session: str
    user: User
    def __init__(self, user: _Optional[_Union[User, _Mapping]] = ..., session: _Optional[str] = ..., expires_at_ns: _Optional[int] = ...) -> None: ...

class LoginRequest(_message.Message):
    __slots__ = ["client", "name", "origin", "password"]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    client: str
    name: str
    origin: str
    password: str
    def __init__(self, name: _Optional[str] = ..., password: _Optional[str] = ..., client: _Optional[str] = ..., origin: _Optional[str] = ...) -> None: ...

class LogoutReply(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class LogoutRequest(_message.Message):
    __slots__ = ["session"]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: str
    def __init__(self, session: _Optional[str] = ...) -> None: ...

class MovePair(_message.Message):
    __slots__ = ["got", "source", "wanted"]
    GOT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    got: bytes
    source: bytes
    wanted: bytes
    def __init__(self, source: _Optional[bytes] = ..., wanted: _Optional[bytes] = ..., got: _Optional[bytes] = ...) -> None: ...

class MoveReply(_message.Message):
    __slots__ = ["already", "bytes", "clashes", "done", "failed", "fatal", "notes", "operation", "problems", "steps", "unchanged"]
    ALREADY_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    CLASHES_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    FATAL_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    already: _containers.RepeatedCompositeFieldContainer[MovePair]
    bytes: int
    clashes: _containers.RepeatedCompositeFieldContainer[MovePair]
    done: int
    failed: int
    fatal: Error
    notes: _containers.RepeatedScalarFieldContainer[str]
    operation: bytes
    problems: _containers.RepeatedCompositeFieldContainer[Error]
    steps: _containers.RepeatedCompositeFieldContainer[MoveStep]
    unchanged: int
    def __init__(self, steps: _Optional[_Iterable[_Union[MoveStep, _Mapping]]] = ..., problems: _Optional[_Iterable[_Union[Error, _Mapping]]] = ..., already: _Optional[_Iterable[_Union[MovePair, _Mapping]]] = ..., clashes: _Optional[_Iterable[_Union[MovePair, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ..., unchanged: _Optional[int] = ..., bytes: _Optional[int] = ..., done: _Optional[int] = ..., failed: _Optional[int] = ..., operation: _Optional[bytes] = ..., fatal: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class MoveRequest(_message.Message):
    __slots__ = ["destination", "drop_duplicates", "dry_run", "fat", "folder", "mode", "prune", "query", "require", "targets", "template"]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    DROP_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    FAT_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    PRUNE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    destination: bytes
    drop_duplicates: bool
    dry_run: bool
    fat: bool
    folder: bool
    mode: str
    prune: bool
    query: str
    require: bool
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    template: str
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., query: _Optional[str] = ..., destination: _Optional[bytes] = ..., folder: bool = ..., template: _Optional[str] = ..., mode: _Optional[str] = ..., require: bool = ..., drop_duplicates: bool = ..., prune: bool = ..., fat: bool = ..., dry_run: bool = ...) -> None: ...

class MoveStep(_message.Message):
    __slots__ = ["action", "destination", "destination_display", "method", "number", "problem", "size", "source", "source_display", "state", "unit"]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    action: str
    destination: bytes
    destination_display: str
    method: str
    number: int
    problem: Error
    size: int
    source: bytes
    source_display: str
    state: str
    unit: int
    def __init__(self, number: _Optional[int] = ..., unit: _Optional[int] = ..., action: _Optional[str] = ..., method: _Optional[str] = ..., source: _Optional[bytes] = ..., source_display: _Optional[str] = ..., destination: _Optional[bytes] = ..., destination_display: _Optional[str] = ..., size: _Optional[int] = ..., state: _Optional[str] = ..., problem: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class Offer(_message.Message):
    __slots__ = ["new", "new_display", "new_path", "old", "old_display", "old_path", "relation", "why"]
    NEW_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    NEW_PATH_FIELD_NUMBER: _ClassVar[int]
    OLD_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    OLD_FIELD_NUMBER: _ClassVar[int]
    OLD_PATH_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    new: bytes
    new_display: str
    new_path: bytes
    old: bytes
    old_display: str
    old_path: bytes
    relation: str
    why: str
    def __init__(self, old: _Optional[bytes] = ..., new: _Optional[bytes] = ..., relation: _Optional[str] = ..., why: _Optional[str] = ..., old_path: _Optional[bytes] = ..., old_display: _Optional[str] = ..., new_path: _Optional[bytes] = ..., new_display: _Optional[str] = ...) -> None: ...

class OffersReply(_message.Message):
    __slots__ = ["offers", "problems"]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    offers: _containers.RepeatedCompositeFieldContainer[Offer]
    problems: _containers.RepeatedCompositeFieldContainer[Error]
    def __init__(self, offers: _Optional[_Iterable[_Union[Offer, _Mapping]]] = ..., problems: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class OffersRequest(_message.Message):
    __slots__ = ["query", "targets"]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    query: str
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., query: _Optional[str] = ...) -> None: ...

class Operation(_message.Message):
    __slots__ = ["actor", "at_ns", "command", "events", "files", "id", "summary", "undone"]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    AT_NS_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    UNDONE_FIELD_NUMBER: _ClassVar[int]
    actor: str
    at_ns: int
    command: str
    events: int
    files: int
    id: bytes
    summary: str
    undone: bool
    def __init__(self, id: _Optional[bytes] = ..., at_ns: _Optional[int] = ..., actor: _Optional[str] = ..., command: _Optional[str] = ..., events: _Optional[int] = ..., undone: bool = ..., summary: _Optional[str] = ..., files: _Optional[int] = ...) -> None: ...

class OperationsReply(_message.Message):
    __slots__ = ["operations"]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    operations: _containers.RepeatedCompositeFieldContainer[Operation]
    def __init__(self, operations: _Optional[_Iterable[_Union[Operation, _Mapping]]] = ...) -> None: ...

class OperationsRequest(_message.Message):
    __slots__ = ["limit"]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class Ping(_message.Message):
    __slots__ = ["payload"]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    payload: bytes
    def __init__(self, payload: _Optional[bytes] = ...) -> None: ...

class PlaceRequest(_message.Message):
    __slots__ = ["dry_run", "path"]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    dry_run: bool
    path: bytes
    def __init__(self, path: _Optional[bytes] = ..., dry_run: bool = ...) -> None: ...

class Pong(_message.Message):
    __slots__ = ["payload"]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    payload: bytes
    def __init__(self, payload: _Optional[bytes] = ...) -> None: ...

class PreviewReply(_message.Message):
    __slots__ = ["data", "height", "mime_type", "same", "tag", "width"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    SAME_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    height: int
    mime_type: str
    same: bool
    tag: bytes
    width: int
    def __init__(self, data: _Optional[bytes] = ..., mime_type: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., tag: _Optional[bytes] = ..., same: bool = ...) -> None: ...

class PreviewRequest(_message.Message):
    __slots__ = ["known", "size", "target"]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    known: bytes
    size: int
    target: Target
    def __init__(self, target: _Optional[_Union[Target, _Mapping]] = ..., size: _Optional[int] = ..., known: _Optional[bytes] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ["bytes_done", "bytes_total", "current", "current_display", "files_done", "files_failed", "files_listed", "files_total", "folders", "stage"]
    BYTES_DONE_FIELD_NUMBER: _ClassVar[int]
    BYTES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    CURRENT_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    FILES_DONE_FIELD_NUMBER: _ClassVar[int]
    FILES_FAILED_FIELD_NUMBER: _ClassVar[int]
    FILES_LISTED_FIELD_NUMBER: _ClassVar[int]
    FILES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    FOLDERS_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    bytes_done: int
    bytes_total: int
    current: bytes
    current_display: str
    files_done: int
    files_failed: int
    files_listed: int
    files_total: int
    folders: int
    stage: str
    def __init__(self, stage: _Optional[str] = ..., folders: _Optional[int] = ..., files_listed: _Optional[int] = ..., files_done: _Optional[int] = ..., files_total: _Optional[int] = ..., files_failed: _Optional[int] = ..., bytes_done: _Optional[int] = ..., bytes_total: _Optional[int] = ..., current: _Optional[bytes] = ..., current_display: _Optional[str] = ...) -> None: ...

class PutbackRequest(_message.Message):
    __slots__ = ["archive", "dry_run", "into", "query", "sha1", "targets"]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    INTO_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SHA1_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    archive: bytes
    dry_run: bool
    into: bytes
    query: str
    sha1: _containers.RepeatedScalarFieldContainer[str]
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., query: _Optional[str] = ..., archive: _Optional[bytes] = ..., sha1: _Optional[_Iterable[str]] = ..., into: _Optional[bytes] = ..., dry_run: bool = ...) -> None: ...

class QueryReply(_message.Message):
    __slots__ = ["caught_up", "count", "cursor", "explanation", "facets", "items", "left", "resync"]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    FACETS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RESYNC_FIELD_NUMBER: _ClassVar[int]
    caught_up: bool
    count: int
    cursor: bytes
    explanation: Explanation
    facets: _containers.RepeatedCompositeFieldContainer[Facet]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    left: _containers.RepeatedScalarFieldContainer[bytes]
    resync: bool
    def __init__(self, items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., cursor: _Optional[bytes] = ..., count: _Optional[int] = ..., facets: _Optional[_Iterable[_Union[Facet, _Mapping]]] = ..., explanation: _Optional[_Union[Explanation, _Mapping]] = ..., caught_up: bool = ..., left: _Optional[_Iterable[bytes]] = ..., resync: bool = ...) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ["bare", "columns", "count", "cursor", "explain", "facet_limit", "facets", "fields", "files", "follow", "limit", "sort", "text"]
    BARE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    FACETS_FIELD_NUMBER: _ClassVar[int]
    FACET_LIMIT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SORT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    bare: bool
    columns: _containers.RepeatedScalarFieldContainer[str]
    count: bool
    cursor: bytes
    explain: bool
    facet_limit: int
    facets: _containers.RepeatedScalarFieldContainer[str]
    fields: bool
    files: bool
    follow: bool
    limit: int
    sort: _containers.RepeatedScalarFieldContainer[str]
    text: str
    def __init__(self, text: _Optional[str] = ..., limit: _Optional[int] = ..., cursor: _Optional[bytes] = ..., files: bool = ..., fields: bool = ..., columns: _Optional[_Iterable[str]] = ..., facets: _Optional[_Iterable[str]] = ..., facet_limit: _Optional[int] = ..., count: bool = ..., explain: bool = ..., follow: bool = ..., sort: _Optional[_Iterable[str]] = ..., bare: bool = ...) -> None: ...

class QueueReply(_message.Message):
    __slots__ = ["changed_at_ns", "client", "current", "entries", "events", "last", "position", "problems"]
    CHANGED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    changed_at_ns: int
    client: str
    current: int
    entries: _containers.RepeatedScalarFieldContainer[bytes]
    events: int
    last: int
    position: float
    problems: _containers.RepeatedCompositeFieldContainer[Error]
    def __init__(self, entries: _Optional[_Iterable[bytes]] = ..., current: _Optional[int] = ..., position: _Optional[float] = ..., changed_at_ns: _Optional[int] = ..., client: _Optional[str] = ..., events: _Optional[int] = ..., last: _Optional[int] = ..., problems: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class QueueRequest(_message.Message):
    __slots__ = ["action", "client", "current", "position", "targets"]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    action: str
    client: str
    current: int
    position: float
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    def __init__(self, action: _Optional[str] = ..., targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., current: _Optional[int] = ..., position: _Optional[float] = ..., client: _Optional[str] = ...) -> None: ...

class RebuildRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class RelateReply(_message.Message):
    __slots__ = ["events", "item", "last", "other"]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    events: int
    item: bytes
    last: int
    other: bytes
    def __init__(self, item: _Optional[bytes] = ..., other: _Optional[bytes] = ..., events: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class RelateRequest(_message.Message):
    __slots__ = ["other", "relation", "target"]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    other: Target
    relation: str
    target: Target
    def __init__(self, relation: _Optional[str] = ..., target: _Optional[_Union[Target, _Mapping]] = ..., other: _Optional[_Union[Target, _Mapping]] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ["accept", "account", "accounts", "add", "archive", "authenticate", "browse", "changes", "checksum", "collect", "collections", "complete", "duplicates", "error", "export", "forget", "get", "handlers", "history", "id", "last", "layout", "login", "logout", "move", "offers", "operations", "place", "pong", "preview", "progress", "putback", "query", "queue", "rebuild", "relate", "rescan", "restore", "roots", "sidecars", "status", "text", "undo", "verify", "work"]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ADD_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATE_FIELD_NUMBER: _ClassVar[int]
    BROWSE_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    COLLECT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    EXPORT_FIELD_NUMBER: _ClassVar[int]
    FORGET_FIELD_NUMBER: _ClassVar[int]
    GET_FIELD_NUMBER: _ClassVar[int]
    HANDLERS_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    LOGOUT_FIELD_NUMBER: _ClassVar[int]
    MOVE_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PUTBACK_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    REBUILD_FIELD_NUMBER: _ClassVar[int]
    RELATE_FIELD_NUMBER: _ClassVar[int]
    RESCAN_FIELD_NUMBER: _ClassVar[int]
    RESTORE_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    SIDECARS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    UNDO_FIELD_NUMBER: _ClassVar[int]
    VERIFY_FIELD_NUMBER: _ClassVar[int]
    WORK_FIELD_NUMBER: _ClassVar[int]
    accept: RootsReply
    account: AccountReply
    accounts: AccountsReply
    add: AddReply
    archive: ArchiveReply
    authenticate: AuthenticateReply
    browse: BrowseReply
    changes: ChangesReply
    checksum: ChecksumReply
    collect: CollectReply
    collections: CollectionsReply
    complete: CompleteReply
    duplicates: DuplicatesReply
    error: Error
    export: ExportReply
    forget: ForgetReply
    get: GetReply
    handlers: HandlersReply
    history: HistoryReply
    id: int
    last: bool
    layout: LayoutReply
    login: LoginReply
    logout: LogoutReply
    move: MoveReply
    offers: OffersReply
    operations: OperationsReply
    place: MoveReply
    pong: Pong
    preview: PreviewReply
    progress: Progress
    putback: MoveReply
    query: QueryReply
    queue: QueueReply
    rebuild: RestoreReply
    relate: RelateReply
    rescan: AddReply
    restore: RestoreReply
    roots: RootsReply
    sidecars: SidecarsReply
    status: StatusReply
    text: TextReply
    undo: UndoReply
    verify: VerifyReply
    work: WorkReply
    def __init__(self, id: _Optional[int] = ..., last: bool = ..., error: _Optional[_Union[Error, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ..., status: _Optional[_Union[StatusReply, _Mapping]] = ..., handlers: _Optional[_Union[HandlersReply, _Mapping]] = ..., roots: _Optional[_Union[RootsReply, _Mapping]] = ..., add: _Optional[_Union[AddReply, _Mapping]] = ..., query: _Optional[_Union[QueryReply, _Mapping]] = ..., get: _Optional[_Union[GetReply, _Mapping]] = ..., checksum: _Optional[_Union[ChecksumReply, _Mapping]] = ..., forget: _Optional[_Union[ForgetReply, _Mapping]] = ..., work: _Optional[_Union[WorkReply, _Mapping]] = ..., collect: _Optional[_Union[CollectReply, _Mapping]] = ..., collections: _Optional[_Union[CollectionsReply, _Mapping]] = ..., changes: _Optional[_Union[ChangesReply, _Mapping]] = ..., undo: _Optional[_Union[UndoReply, _Mapping]] = ..., operations: _Optional[_Union[OperationsReply, _Mapping]] = ..., history: _Optional[_Union[HistoryReply, _Mapping]] = ..., relate: _Optional[_Union[RelateReply, _Mapping]] = ..., duplicates: _Optional[_Union[DuplicatesReply, _Mapping]] = ..., verify: _Optional[_Union[VerifyReply, _Mapping]] = ..., rescan: _Optional[_Union[AddReply, _Mapping]] = ..., accept: _Optional[_Union[RootsReply, _Mapping]] = ..., export: _Optional[_Union[ExportReply, _Mapping]] = ..., restore: _Optional[_Union[RestoreReply, _Mapping]] = ..., rebuild: _Optional[_Union[RestoreReply, _Mapping]] = ..., sidecars: _Optional[_Union[SidecarsReply, _Mapping]] = ..., offers: _Optional[_Union[OffersReply, _Mapping]] = ..., move: _Optional[_Union[MoveReply, _Mapping]] = ..., layout: _Optional[_Union[LayoutReply, _Mapping]] = ..., archive: _Optional[_Union[ArchiveReply, _Mapping]] = ..., putback: _Optional[_Union[MoveReply, _Mapping]] = ..., place: _Optional[_Union[MoveReply, _Mapping]] = ..., text: _Optional[_Union[TextReply, _Mapping]] = ..., complete: _Optional[_Union[CompleteReply, _Mapping]] = ..., account: _Optional[_Union[AccountReply, _Mapping]] = ..., accounts: _Optional[_Union[AccountsReply, _Mapping]] = ..., login: _Optional[_Union[LoginReply, _Mapping]] = ..., authenticate: _Optional[_Union[AuthenticateReply, _Mapping]] = ..., logout: _Optional[_Union[LogoutReply, _Mapping]] = ..., queue: _Optional[_Union[QueueReply, _Mapping]] = ..., preview: _Optional[_Union[PreviewReply, _Mapping]] = ..., browse: _Optional[_Union[BrowseReply, _Mapping]] = ...) -> None: ...

class Request(_message.Message):
    __slots__ = ["accept", "account", "accounts", "actor", "add", "archive", "authenticate", "browse", "changes", "checksum", "collect", "collections", "complete", "deadline_ms", "duplicates", "export", "forget", "get", "handlers", "history", "id", "layout", "login", "logout", "more", "move", "offers", "operation", "operations", "ping", "place", "preview", "putback", "query", "queue", "rebuild", "relate", "rescan", "restore", "roots", "sidecars", "status", "text", "undo", "verify", "work"]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ADD_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATE_FIELD_NUMBER: _ClassVar[int]
    BROWSE_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    COLLECTIONS_FIELD_NUMBER: _ClassVar[int]
    COLLECT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    EXPORT_FIELD_NUMBER: _ClassVar[int]
    FORGET_FIELD_NUMBER: _ClassVar[int]
    GET_FIELD_NUMBER: _ClassVar[int]
    HANDLERS_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    LOGOUT_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    MOVE_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    PUTBACK_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    REBUILD_FIELD_NUMBER: _ClassVar[int]
    RELATE_FIELD_NUMBER: _ClassVar[int]
    RESCAN_FIELD_NUMBER: _ClassVar[int]
    RESTORE_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    SIDECARS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    UNDO_FIELD_NUMBER: _ClassVar[int]
    VERIFY_FIELD_NUMBER: _ClassVar[int]
    WORK_FIELD_NUMBER: _ClassVar[int]
    accept: AcceptRequest
    account: AccountRequest
    accounts: AccountsRequest
    actor: str
    add: AddRequest
    archive: ArchiveRequest
    authenticate: AuthenticateRequest
    browse: BrowseRequest
    changes: ChangesRequest
    checksum: ChecksumRequest
    collect: CollectRequest
    collections: CollectionsRequest
    complete: CompleteRequest
    deadline_ms: int
    duplicates: DuplicatesRequest
    export: ExportRequest
    forget: ForgetRequest
    get: GetRequest
    handlers: HandlersRequest
    history: HistoryRequest
    id: int
    layout: LayoutRequest
    login: LoginRequest
    logout: LogoutRequest
    more: bool
    move: MoveRequest
    offers: OffersRequest
    operation: bytes
    operations: OperationsRequest
    ping: Ping
    place: PlaceRequest
    preview: PreviewRequest
    putback: PutbackRequest
    query: QueryRequest
    queue: QueueRequest
    rebuild: RebuildRequest
    relate: RelateRequest
    rescan: RescanRequest
    restore: RestoreRequest
    roots: RootsRequest
    sidecars: SidecarsRequest
    status: StatusRequest
    text: TextRequest
    undo: UndoRequest
    verify: VerifyRequest
    work: WorkRequest
    def __init__(self, id: _Optional[int] = ..., more: bool = ..., deadline_ms: _Optional[int] = ..., operation: _Optional[bytes] = ..., actor: _Optional[str] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., status: _Optional[_Union[StatusRequest, _Mapping]] = ..., handlers: _Optional[_Union[HandlersRequest, _Mapping]] = ..., roots: _Optional[_Union[RootsRequest, _Mapping]] = ..., add: _Optional[_Union[AddRequest, _Mapping]] = ..., query: _Optional[_Union[QueryRequest, _Mapping]] = ..., get: _Optional[_Union[GetRequest, _Mapping]] = ..., checksum: _Optional[_Union[ChecksumRequest, _Mapping]] = ..., forget: _Optional[_Union[ForgetRequest, _Mapping]] = ..., work: _Optional[_Union[WorkRequest, _Mapping]] = ..., collect: _Optional[_Union[CollectRequest, _Mapping]] = ..., collections: _Optional[_Union[CollectionsRequest, _Mapping]] = ..., changes: _Optional[_Union[ChangesRequest, _Mapping]] = ..., undo: _Optional[_Union[UndoRequest, _Mapping]] = ..., operations: _Optional[_Union[OperationsRequest, _Mapping]] = ..., history: _Optional[_Union[HistoryRequest, _Mapping]] = ..., relate: _Optional[_Union[RelateRequest, _Mapping]] = ..., duplicates: _Optional[_Union[DuplicatesRequest, _Mapping]] = ..., verify: _Optional[_Union[VerifyRequest, _Mapping]] = ..., rescan: _Optional[_Union[RescanRequest, _Mapping]] = ..., accept: _Optional[_Union[AcceptRequest, _Mapping]] = ..., export: _Optional[_Union[ExportRequest, _Mapping]] = ..., restore: _Optional[_Union[RestoreRequest, _Mapping]] = ..., rebuild: _Optional[_Union[RebuildRequest, _Mapping]] = ..., sidecars: _Optional[_Union[SidecarsRequest, _Mapping]] = ..., offers: _Optional[_Union[OffersRequest, _Mapping]] = ..., move: _Optional[_Union[MoveRequest, _Mapping]] = ..., layout: _Optional[_Union[LayoutRequest, _Mapping]] = ..., archive: _Optional[_Union[ArchiveRequest, _Mapping]] = ..., putback: _Optional[_Union[PutbackRequest, _Mapping]] = ..., place: _Optional[_Union[PlaceRequest, _Mapping]] = ..., text: _Optional[_Union[TextRequest, _Mapping]] = ..., complete: _Optional[_Union[CompleteRequest, _Mapping]] = ..., account: _Optional[_Union[AccountRequest, _Mapping]] = ..., accounts: _Optional[_Union[AccountsRequest, _Mapping]] = ..., login: _Optional[_Union[LoginRequest, _Mapping]] = ..., authenticate: _Optional[_Union[AuthenticateRequest, _Mapping]] = ..., logout: _Optional[_Union[LogoutRequest, _Mapping]] = ..., queue: _Optional[_Union[QueueRequest, _Mapping]] = ..., preview: _Optional[_Union[PreviewRequest, _Mapping]] = ..., browse: _Optional[_Union[BrowseRequest, _Mapping]] = ...) -> None: ...

class RescanRequest(_message.Message):
    __slots__ = ["paths", "quick", "wait"]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    QUICK_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    paths: _containers.RepeatedScalarFieldContainer[bytes]
    quick: bool
    wait: bool
    def __init__(self, paths: _Optional[_Iterable[bytes]] = ..., quick: bool = ..., wait: bool = ...) -> None: ...

class RestoreReply(_message.Message):
    __slots__ = ["events", "items", "known", "problems", "roots"]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    events: int
    items: int
    known: int
    problems: _containers.RepeatedCompositeFieldContainer[Error]
    roots: int
    def __init__(self, events: _Optional[int] = ..., items: _Optional[int] = ..., roots: _Optional[int] = ..., known: _Optional[int] = ..., problems: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class RestoreRequest(_message.Message):
    __slots__ = ["lines"]
    LINES_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, lines: _Optional[_Iterable[str]] = ...) -> None: ...

class Revision(_message.Message):
    __slots__ = ["item", "mtime_ns", "path", "path_display", "size", "until_ns", "why"]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    MTIME_NS_FIELD_NUMBER: _ClassVar[int]
    PATH_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_NS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    item: bytes
    mtime_ns: int
    path: bytes
    path_display: str
    size: int
    until_ns: int
    why: str
    def __init__(self, item: _Optional[bytes] = ..., path: _Optional[bytes] = ..., path_display: _Optional[str] = ..., size: _Optional[int] = ..., mtime_ns: _Optional[int] = ..., until_ns: _Optional[int] = ..., why: _Optional[str] = ...) -> None: ...

class Root(_message.Message):
    __slots__ = ["bytes", "failed", "files", "folders", "host", "host_name", "id", "missing", "path", "path_display", "pending", "scanned_at_ns", "state", "volume", "watched"]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    FOLDERS_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    HOST_NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    PATH_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    SCANNED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    WATCHED_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    failed: int
    files: int
    folders: int
    host: bytes
    host_name: str
    id: int
    missing: int
    path: bytes
    path_display: str
    pending: int
    scanned_at_ns: int
    state: str
    volume: bytes
    watched: bool
    def __init__(self, id: _Optional[int] = ..., path: _Optional[bytes] = ..., path_display: _Optional[str] = ..., volume: _Optional[bytes] = ..., host: _Optional[bytes] = ..., watched: bool = ..., state: _Optional[str] = ..., files: _Optional[int] = ..., folders: _Optional[int] = ..., missing: _Optional[int] = ..., pending: _Optional[int] = ..., failed: _Optional[int] = ..., bytes: _Optional[int] = ..., scanned_at_ns: _Optional[int] = ..., host_name: _Optional[str] = ...) -> None: ...

class RootsReply(_message.Message):
    __slots__ = ["roots"]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    roots: _containers.RepeatedCompositeFieldContainer[Root]
    def __init__(self, roots: _Optional[_Iterable[_Union[Root, _Mapping]]] = ...) -> None: ...

class RootsRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ServerFrame(_message.Message):
    __slots__ = ["greeting", "reply"]
    GREETING_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    greeting: Greeting
    reply: Reply
    def __init__(self, greeting: _Optional[_Union[Greeting, _Mapping]] = ..., reply: _Optional[_Union[Reply, _Mapping]] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ["client", "created_at_ns", "expires_at_ns", "id", "used_at_ns", "user"]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_NS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    USED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    client: str
    created_at_ns: int
    expires_at_ns: int
    id: bytes
    used_at_ns: int
    user: str
    def __init__(self, id: _Optional[bytes] = ..., user: _Optional[str] = ..., client: _Optional[str] = ..., created_at_ns: _Optional[int] = ..., used_at_ns: _Optional[int] = ..., expires_at_ns: _Optional[int] = ...) -> None: ...

class Sidecar(_message.Message):
    __slots__ = ["changes", "item", "path", "path_display", "problem", "side", "side_display", "since_ns", "state", "warnings"]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PATH_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    SIDE_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    SINCE_NS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[SidecarChange]
    item: bytes
    path: bytes
    path_display: str
    problem: Error
    side: bytes
    side_display: str
    since_ns: int
    state: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, item: _Optional[bytes] = ..., path: _Optional[bytes] = ..., path_display: _Optional[str] = ..., side: _Optional[bytes] = ..., side_display: _Optional[str] = ..., state: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[SidecarChange, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., problem: _Optional[_Union[Error, _Mapping]] = ..., since_ns: _Optional[int] = ...) -> None: ...

class SidecarChange(_message.Message):
    __slots__ = ["field", "now", "was", "way"]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    WAS_FIELD_NUMBER: _ClassVar[int]
    WAY_FIELD_NUMBER: _ClassVar[int]
    field: str
    now: str
    was: str
    way: str
    def __init__(self, way: _Optional[str] = ..., field: _Optional[str] = ..., was: _Optional[str] = ..., now: _Optional[str] = ...) -> None: ...

class SidecarsReply(_message.Message):
    __slots__ = ["files", "looked_at"]
    FILES_FIELD_NUMBER: _ClassVar[int]
    LOOKED_AT_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[Sidecar]
    looked_at: int
    def __init__(self, files: _Optional[_Iterable[_Union[Sidecar, _Mapping]]] = ..., looked_at: _Optional[int] = ...) -> None: ...

class SidecarsRequest(_message.Message):
    __slots__ = ["all", "dry_run", "query", "targets"]
    ALL_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    all: bool
    dry_run: bool
    query: str
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., query: _Optional[str] = ..., all: bool = ..., dry_run: bool = ...) -> None: ...

class StatusReply(_message.Message):
    __slots__ = ["connections", "data_dir", "database", "database_problem", "database_version", "failed", "files", "host", "host_name", "items", "lag_max_ms", "lag_p99_ms", "last_event", "missing", "notes", "parked", "peak_rss_bytes", "pending", "pid", "requests", "requests_in_flight", "rss_bytes", "scans", "socket", "templates", "uptime", "version", "worker_failures", "workers"]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    DATABASE_FIELD_NUMBER: _ClassVar[int]
    DATABASE_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    DATABASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_DIR_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    HOST_NAME_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LAG_MAX_MS_FIELD_NUMBER: _ClassVar[int]
    LAG_P99_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_EVENT_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    PEAK_RSS_BYTES_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    RSS_BYTES_FIELD_NUMBER: _ClassVar[int]
    SCANS_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    UPTIME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    WORKER_FAILURES_FIELD_NUMBER: _ClassVar[int]
    connections: int
    data_dir: str
    database: str
    database_problem: str
    database_version: str
    failed: int
    files: int
    host: bytes
    host_name: str
    items: int
    lag_max_ms: float
    lag_p99_ms: float
    last_event: int
    missing: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    parked: int
    peak_rss_bytes: int
    pending: int
    pid: int
    requests: int
    requests_in_flight: int
    rss_bytes: int
    scans: _containers.RepeatedCompositeFieldContainer[Progress]
    socket: str
    templates: _containers.RepeatedCompositeFieldContainer[Template]
    uptime: float
    version: str
    worker_failures: int
    workers: _containers.RepeatedCompositeFieldContainer[Worker]
    def __init__(self, version: _Optional[str] = ..., host: _Optional[bytes] = ..., host_name: _Optional[str] = ..., uptime: _Optional[float] = ..., pid: _Optional[int] = ..., lag_p99_ms: _Optional[float] = ..., lag_max_ms: _Optional[float] = ..., rss_bytes: _Optional[int] = ..., peak_rss_bytes: _Optional[int] = ..., connections: _Optional[int] = ..., requests_in_flight: _Optional[int] = ..., requests: _Optional[int] = ..., database: _Optional[str] = ..., database_version: _Optional[str] = ..., database_problem: _Optional[str] = ..., files: _Optional[int] = ..., items: _Optional[int] = ..., pending: _Optional[int] = ..., failed: _Optional[int] = ..., missing: _Optional[int] = ..., parked: _Optional[int] = ..., last_event: _Optional[int] = ..., workers: _Optional[_Iterable[_Union[Worker, _Mapping]]] = ..., scans: _Optional[_Iterable[_Union[Progress, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ..., data_dir: _Optional[str] = ..., socket: _Optional[str] = ..., worker_failures: _Optional[int] = ..., templates: _Optional[_Iterable[_Union[Template, _Mapping]]] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Stored(_message.Message):
    __slots__ = ["archive", "path", "path_display", "stored_at_ns", "verdict", "verified_at_ns"]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    PATH_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    STORED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    archive: str
    path: bytes
    path_display: str
    stored_at_ns: int
    verdict: str
    verified_at_ns: int
    def __init__(self, archive: _Optional[str] = ..., path: _Optional[bytes] = ..., path_display: _Optional[str] = ..., stored_at_ns: _Optional[int] = ..., verified_at_ns: _Optional[int] = ..., verdict: _Optional[str] = ...) -> None: ...

class Suggestion(_message.Message):
    __slots__ = ["end", "start", "text", "what"]
    END_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    end: int
    start: int
    text: str
    what: str
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ..., text: _Optional[str] = ..., what: _Optional[str] = ...) -> None: ...

class Target(_message.Message):
    __slots__ = ["id", "path"]
    ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    id: bytes
    path: bytes
    def __init__(self, id: _Optional[bytes] = ..., path: _Optional[bytes] = ...) -> None: ...

class Template(_message.Message):
    __slots__ = ["name", "text"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    name: str
    text: str
    def __init__(self, name: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class TextReply(_message.Message):
    __slots__ = ["ends", "failed", "indexed", "item", "languages", "path", "path_display", "problem", "queued", "source", "text", "truncated", "waiting", "without"]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    INDEXED_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    PATH_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_FIELD_NUMBER: _ClassVar[int]
    ends: bool
    failed: int
    indexed: int
    item: bytes
    languages: _containers.RepeatedScalarFieldContainer[str]
    path: bytes
    path_display: str
    problem: Error
    queued: int
    source: str
    text: str
    truncated: bool
    waiting: int
    without: int
    def __init__(self, item: _Optional[bytes] = ..., path: _Optional[bytes] = ..., path_display: _Optional[str] = ..., text: _Optional[str] = ..., ends: bool = ..., truncated: bool = ..., source: _Optional[str] = ..., languages: _Optional[_Iterable[str]] = ..., problem: _Optional[_Union[Error, _Mapping]] = ..., queued: _Optional[int] = ..., indexed: _Optional[int] = ..., without: _Optional[int] = ..., failed: _Optional[int] = ..., waiting: _Optional[int] = ...) -> None: ...

class TextRequest(_message.Message):
    __slots__ = ["index", "limit", "query", "targets", "wait"]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    index: bool
    limit: int
    query: str
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    wait: bool
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., query: _Optional[str] = ..., index: bool = ..., wait: bool = ..., limit: _Optional[int] = ...) -> None: ...

class Track(_message.Message):
    __slots__ = ["algorithm", "bytes", "codec", "digests", "kind", "number"]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    algorithm: str
    bytes: int
    codec: str
    digests: _containers.RepeatedCompositeFieldContainer[Digest]
    kind: str
    number: int
    def __init__(self, number: _Optional[int] = ..., kind: _Optional[str] = ..., codec: _Optional[str] = ..., algorithm: _Optional[str] = ..., digests: _Optional[_Iterable[_Union[Digest, _Mapping]]] = ..., bytes: _Optional[int] = ...) -> None: ...

class UndoReply(_message.Message):
    __slots__ = ["events", "files", "last", "operations", "problems"]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    events: int
    files: int
    last: int
    operations: _containers.RepeatedCompositeFieldContainer[Operation]
    problems: _containers.RepeatedCompositeFieldContainer[Error]
    def __init__(self, operations: _Optional[_Iterable[_Union[Operation, _Mapping]]] = ..., events: _Optional[int] = ..., last: _Optional[int] = ..., files: _Optional[int] = ..., problems: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class UndoRequest(_message.Message):
    __slots__ = ["count", "operation"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    count: int
    operation: bytes
    def __init__(self, operation: _Optional[bytes] = ..., count: _Optional[int] = ...) -> None: ...

class User(_message.Message):
    __slots__ = ["created_at_ns", "name", "role", "seen_at_ns"]
    CREATED_AT_NS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    SEEN_AT_NS_FIELD_NUMBER: _ClassVar[int]
    created_at_ns: int
    name: str
    role: str
    seen_at_ns: int
    def __init__(self, name: _Optional[str] = ..., role: _Optional[str] = ..., created_at_ns: _Optional[int] = ..., seen_at_ns: _Optional[int] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ["good", "item", "path", "path_display", "problem", "verdict"]
    GOOD_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PATH_DISPLAY_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    good: _containers.RepeatedScalarFieldContainer[bytes]
    item: bytes
    path: bytes
    path_display: str
    problem: Error
    verdict: str
    def __init__(self, item: _Optional[bytes] = ..., path: _Optional[bytes] = ..., path_display: _Optional[str] = ..., verdict: _Optional[str] = ..., problem: _Optional[_Union[Error, _Mapping]] = ..., good: _Optional[_Iterable[bytes]] = ...) -> None: ...

class VerifyReply(_message.Message):
    __slots__ = ["bytes", "first", "left", "ok", "replaced", "retagged", "rotten", "unreadable", "verdicts"]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    OK_FIELD_NUMBER: _ClassVar[int]
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    RETAGGED_FIELD_NUMBER: _ClassVar[int]
    ROTTEN_FIELD_NUMBER: _ClassVar[int]
    UNREADABLE_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    first: int
    left: int
    ok: int
    replaced: int
    retagged: int
    rotten: int
    unreadable: int
    verdicts: _containers.RepeatedCompositeFieldContainer[Verdict]
    def __init__(self, verdicts: _Optional[_Iterable[_Union[Verdict, _Mapping]]] = ..., ok: _Optional[int] = ..., first: _Optional[int] = ..., retagged: _Optional[int] = ..., replaced: _Optional[int] = ..., rotten: _Optional[int] = ..., unreadable: _Optional[int] = ..., left: _Optional[int] = ..., bytes: _Optional[int] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ["again", "bytes_per_second", "seconds", "targets"]
    AGAIN_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    again: bool
    bytes_per_second: int
    seconds: float
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., bytes_per_second: _Optional[int] = ..., seconds: _Optional[float] = ..., again: bool = ...) -> None: ...

class WorkAction(_message.Message):
    __slots__ = ["action", "at_ns", "count", "name", "number", "value"]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    AT_NS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    action: str
    at_ns: int
    count: int
    name: str
    number: float
    value: str
    def __init__(self, action: _Optional[str] = ..., name: _Optional[str] = ..., value: _Optional[str] = ..., number: _Optional[float] = ..., at_ns: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class WorkReply(_message.Message):
    __slots__ = ["events", "items", "last", "problems"]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    events: int
    items: int
    last: int
    problems: _containers.RepeatedCompositeFieldContainer[Error]
    def __init__(self, items: _Optional[int] = ..., events: _Optional[int] = ..., last: _Optional[int] = ..., problems: _Optional[_Iterable[_Union[Error, _Mapping]]] = ...) -> None: ...

class WorkRequest(_message.Message):
    __slots__ = ["actions", "query", "targets"]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    actions: _containers.RepeatedCompositeFieldContainer[WorkAction]
    query: str
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    def __init__(self, targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., query: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[WorkAction, _Mapping]]] = ...) -> None: ...

class Worker(_message.Message):
    __slots__ = ["application", "files", "pid", "sandbox", "state"]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    application: str
    files: int
    pid: int
    sandbox: str
    state: str
    def __init__(self, application: _Optional[str] = ..., pid: _Optional[int] = ..., state: _Optional[str] = ..., files: _Optional[int] = ..., sandbox: _Optional[str] = ...) -> None: ...

class Code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
