"""Persons whom the applications let in: keeping them, and letting them in.

What these requests say and answer are secrets, so they are no operations of the log: a new person or key has its id of
the operation's, and is made once.
"""

from __future__ import annotations

from collections.abc import Sequence

from mediad.commands.context import Call, Context, Replies
from mediad.errors import InvalidArgument
from mediad.index.persons import Key, Person
from mediad.index.work import new_operation
from mediad.wire.convert import uuid_from_wire
from mediadb_contract import mediadb_pb2 as pb

_AT_ONCE = 1000  # rows a reply


def _user(person: Person) -> pb.User:
    return pb.User(
        name=person.name, role=person.role, created_at_ns=person.created_ns, seen_at_ns=person.seen_ns or 0
    )  # fmt: skip


def _key(key: Key) -> pb.ApiKey:
    return pb.ApiKey(
        id=key.id.bytes, user=key.person, name=key.name, created_at_ns=key.created_ns, used_at_ns=key.used_ns or 0
    )  # fmt: skip


async def account(context: Context, request: pb.AccountRequest, call: Call) -> Replies:
    """Makes, changes or removes a person; makes or removes a key; ends a session."""
    persons, name, operation = context.persons, request.name, call.operation or new_operation()
    reply = pb.AccountReply()
    number = uuid_from_wire(request.id)
    if request.action in ("unkey", "unsession"):
        if number is None:
            raise InvalidArgument(f"{request.action} takes an id", request.action)
        if request.action == "unkey":
            person, key = await persons.remove_key(number)
            reply.key.CopyFrom(_key(key))
        else:
            person = await persons.remove_session(number)
    elif request.action == "create":
        person = await persons.create(name, request.role, request.password, operation)
    elif request.action == "remove":
        person = await persons.remove(name)
    elif request.action == "role":
        person = await persons.change_role(name, request.role)
    elif request.action == "password":
        person = await persons.change_password(name, request.password)
    elif request.action == "key":
        person, key = await persons.make_key(name, request.key_name, operation)
        reply.key.CopyFrom(_key(key))
        reply.secret = key.secret
    else:
        raise InvalidArgument(
            "the actions are create, remove, role, password, key, unkey, unsession", request.action[:100]
        )
    reply.user.CopyFrom(_user(person))
    yield pb.Reply(account=reply, last=True)


async def accounts(context: Context, request: pb.AccountsRequest, _call: Call) -> Replies:
    """Persons, their keys and sessions, without any secret."""
    persons, keys, sessions = await context.persons.listed(request.name)
    messages: list[pb.AccountsReply] = []
    for begin in range(0, len(persons), _AT_ONCE):
        messages.append(pb.AccountsReply(users=map(_user, persons[begin : begin + _AT_ONCE])))
    for begin in range(0, len(keys), _AT_ONCE):
        messages.append(pb.AccountsReply(keys=map(_key, keys[begin : begin + _AT_ONCE])))
    for begin in range(0, len(sessions), _AT_ONCE):
        messages.append(pb.AccountsReply(sessions=[
            pb.Session(id=number.bytes, user=user, client=client, created_at_ns=created, used_at_ns=used,
                       expires_at_ns=expires)
            for number, user, client, created, used, expires in sessions[begin : begin + _AT_ONCE]
        ]))  # fmt: skip
    for reply in _joined(messages):
        yield reply


def _joined(messages: Sequence[pb.AccountsReply]) -> list[pb.Reply]:
    """One reply, where all is in one message's bounds; else several."""
    if sum(len(each.users) + len(each.keys) + len(each.sessions) for each in messages) <= _AT_ONCE:
        whole = pb.AccountsReply()
        for each in messages:
            whole.MergeFrom(each)
        return [pb.Reply(accounts=whole, last=True)]
    return [pb.Reply(accounts=each, last=each is messages[-1]) for each in messages]


async def login(context: Context, request: pb.LoginRequest, _call: Call) -> Replies:
    """A person's password makes a session."""
    person, secret, expires = await context.persons.log_in(
        request.name, request.password, request.client, request.origin
    )
    yield pb.Reply(login=pb.LoginReply(user=_user(person), session=secret, expires_at_ns=expires), last=True)


async def authenticate(context: Context, request: pb.AuthenticateRequest, _call: Call) -> Replies:
    """Whose a session, key or token is."""
    persons = context.persons
    given = [name for name in ("session", "key", "token") if getattr(request, name)]
    if len(given) > 1:
        raise InvalidArgument(f"one of session, key, token is taken, not {' and '.join(given)}")
    if not given:
        nobody = await persons.nobody()
        yield pb.Reply(authenticate=pb.AuthenticateReply(nobody=nobody), last=True)
        return
    if request.session:
        person, number = await persons.by_session(request.session)
    elif request.key:
        person, number = await persons.by_key(request.key, request.name, request.origin)
    else:
        person, number = await persons.by_token(request.name, request.token, request.salt, request.origin)
    yield pb.Reply(authenticate=pb.AuthenticateReply(user=_user(person), id=number.bytes), last=True)


async def logout(context: Context, request: pb.LogoutRequest, _call: Call) -> Replies:
    """Ends a session."""
    await context.persons.log_out(request.session)
    yield pb.Reply(logout=pb.LogoutReply(), last=True)
