from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Checksum(_message.Message):
    __slots__ = ["name", "value"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: bytes
    def __init__(self, name: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ["code", "message"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Field(_message.Message):
    __slots__ = ["name", "number", "source", "value"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    number: int
    source: str
    value: Value
    def __init__(self, name: _Optional[str] = ..., number: _Optional[int] = ..., value: _Optional[_Union[Value, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...

class Key(_message.Message):
    __slots__ = ["algorithm", "grade", "value"]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    GRADE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    algorithm: str
    grade: str
    value: bytes
    def __init__(self, grade: _Optional[str] = ..., algorithm: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class Map(_message.Message):
    __slots__ = ["entries"]
    class EntriesEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.MessageMap[str, Value]
    def __init__(self, entries: _Optional[_Mapping[str, Value]] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ["can_handle", "checksums", "error", "fields", "format", "handler", "handler_version", "keys", "kind", "mime_type", "path", "tags", "text", "tracks", "warnings"]
    CAN_HANDLE_FIELD_NUMBER: _ClassVar[int]
    CHECKSUMS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    HANDLER_VERSION_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    can_handle: bool
    checksums: _containers.RepeatedCompositeFieldContainer[Checksum]
    error: Error
    fields: _containers.RepeatedCompositeFieldContainer[Field]
    format: str
    handler: str
    handler_version: int
    keys: _containers.RepeatedCompositeFieldContainer[Key]
    kind: str
    mime_type: str
    path: bytes
    tags: _containers.RepeatedCompositeFieldContainer[Tag]
    text: Text
    tracks: _containers.RepeatedCompositeFieldContainer[Track]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, path: _Optional[bytes] = ..., handler: _Optional[str] = ..., handler_version: _Optional[int] = ..., kind: _Optional[str] = ..., format: _Optional[str] = ..., mime_type: _Optional[str] = ..., fields: _Optional[_Iterable[_Union[Field, _Mapping]]] = ..., tags: _Optional[_Iterable[_Union[Tag, _Mapping]]] = ..., keys: _Optional[_Iterable[_Union[Key, _Mapping]]] = ..., checksums: _Optional[_Iterable[_Union[Checksum, _Mapping]]] = ..., tracks: _Optional[_Iterable[_Union[Track, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., error: _Optional[_Union[Error, _Mapping]] = ..., text: _Optional[_Union[Text, _Mapping]] = ..., can_handle: bool = ...) -> None: ...

class Tag(_message.Message):
    __slots__ = ["key", "values"]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    key: str
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, key: _Optional[str] = ..., values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class Text(_message.Message):
    __slots__ = ["source", "text", "truncated"]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    source: str
    text: str
    truncated: bool
    def __init__(self, text: _Optional[str] = ..., truncated: bool = ..., source: _Optional[str] = ...) -> None: ...

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
    digests: _containers.RepeatedCompositeFieldContainer[Checksum]
    kind: str
    number: int
    def __init__(self, number: _Optional[int] = ..., kind: _Optional[str] = ..., codec: _Optional[str] = ..., algorithm: _Optional[str] = ..., digests: _Optional[_Iterable[_Union[Checksum, _Mapping]]] = ..., bytes: _Optional[int] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ["boolean", "data", "integer", "list", "map", "number", "text"]
    BOOLEAN_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    boolean: bool
    data: bytes
    integer: int
    list: Values
    map: Map
    number: float
    text: str
    def __init__(self, text: _Optional[str] = ..., integer: _Optional[int] = ..., number: _Optional[float] = ..., boolean: bool = ..., data: _Optional[bytes] = ..., list: _Optional[_Union[Values, _Mapping]] = ..., map: _Optional[_Union[Map, _Mapping]] = ...) -> None: ...

class Values(_message.Message):
    __slots__ = ["values"]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...
