"""How often each value of a field is among what matches: one statement a facet, whatever the field is."""

from __future__ import annotations

from typing import Any

from mediad.errors import InvalidArgument
from mediad.query.names import meaning
from mediad.store.pages import Question
from mediad.store.queries import Statement
from mediadb_contract.fields import FIELDS

_COLUMNS = {
    "kind": "coalesce(r.kind, f.kind_guess)", "format": "r.format", "year": "substring(r.date, 1, 4)",
    "month": "substring(r.date, 1, 7)", "day": "substring(r.date, 1, 10)", "date": "substring(r.date, 1, 10)",
    "state": "CASE WHEN f.missing_since_ns IS NOT NULL THEN 'missing' WHEN f.type <> 'f' THEN 'read' "
             "ELSE coalesce(r.state, 'listed') END",
    "added": "to_char(to_timestamp(f.first_seen_ns / 1000000000), 'YYYY-MM')",
    "modified": "to_char(to_timestamp(f.mtime_ns / 1000000000), 'YYYY-MM')",
    "extension": "lower(substring(encode(f.name, 'escape') from '\\.([^.]+)$'))",
}  # fmt: skip
_ALSO = {"ext": "extension", "type": "kind", "taken": "date", "date_taken": "date"}
# Effective tags: those in the files and their side files that nobody removed, and those that somebody added.
_TAGS = """SELECT k.value, m.stream FROM m JOIN file_detail d ON d.file = m.file
    CROSS JOIN LATERAL jsonb_array_elements_text(coalesce(d.fields -> 'keywords', '[]')) k
    WHERE NOT EXISTS (SELECT FROM work_tag w WHERE w.stream = m.stream AND w.tag = k.value AND w.removed)
    UNION ALL
    SELECT k.value, m.stream FROM m JOIN file f ON f.id = m.file
    JOIN LATERAL (SELECT v.side FROM side_file v WHERE v.main = f.id AND EXISTS (SELECT FROM file s WHERE s.dir = f.dir
        AND lower(right(encode(s.name, 'escape'), 4)) = '.xmp')) v ON true JOIN file_detail d ON d.file = v.side
    CROSS JOIN LATERAL jsonb_array_elements_text(coalesce(d.fields -> 'keywords', '[]')) k
    WHERE NOT EXISTS (SELECT FROM work_tag w WHERE w.stream = m.stream AND w.tag = k.value AND w.removed)
    UNION ALL
    SELECT w.tag, m.stream FROM m JOIN work_tag w ON w.stream = m.stream WHERE NOT w.removed"""


def facet(question: Question, name: str, limit: int, *, among: int | None = None) -> tuple[Statement, list[Any]]:
    """Rows of (value, items), the most frequent first. `among`: of so many matching files at most, whichever are found
    first. Raises InvalidArgument for what is no field."""
    name = _ALSO.get(name.lower(), name.lower())
    sql, params = question.matches()
    if among is not None:
        sql = f"{sql} LIMIT {int(among)}"

    def param(value: Any, kind: str) -> str:
        params.append(value)
        return f"${len(params)}::{kind}"

    if name in ("tag", "tags"):
        values = _TAGS
    elif name in _COLUMNS:
        values = f"""SELECT {_COLUMNS[name]} AS value, m.stream FROM m JOIN file f ON f.id = m.file
            LEFT JOIN reading r ON r.file = m.file"""
    elif name == "rating":
        who = param(question.actor, "text")
        values = f"""SELECT coalesce(w.rating::text, d.fields ->> 'rating') AS value, m.stream FROM m
            LEFT JOIN work_actor w ON w.stream = m.stream AND w.actor = {who} AND w.rating IS NOT NULL
            LEFT JOIN file_detail d ON d.file = m.file"""
    elif name in ("collection", "playlist"):
        kind, who = param(name, "text"), param(question.actor, "text")
        values = f"""SELECT c.name AS value, m.stream FROM m JOIN collection_entry e ON e.stream = m.stream
            JOIN collection c ON c.id = e.collection AND c.kind = {kind} AND c.actor IN ('', {who})"""
    elif name == "places":
        # Together, so that a city is counted under its country: a JSON list of country, state, city, null for none.
        own = ", ".join(_own_or_file(each) for each in ("country", "state", "city"))
        values = f"""SELECT jsonb_build_array({own})::text AS value, m.stream FROM m
            LEFT JOIN file_detail d ON d.file = m.file
            WHERE d.fields ?| ARRAY['country', 'state', 'city']
               OR EXISTS (SELECT FROM work_field w
                          WHERE w.stream = m.stream AND w.name IN ('country', 'state', 'city'))"""
    elif name in ("folder", "path"):
        values = """SELECT coalesce(c.folded, encode(o.path, 'escape')) AS value, m.stream FROM m
            JOIN file f ON f.id = m.file JOIN dir c ON c.id = f.dir JOIN root o ON o.id = c.root"""
    else:
        asked = meaning(name)
        if asked is None:
            raise InvalidArgument("there is no such field to count the values of", name)
        values = _of_fields(asked.fields, name, param)
    text = (
        f"WITH m AS MATERIALIZED ({sql}) SELECT value::text, count(DISTINCT stream) FROM ({values}) x "
        f"WHERE value IS NOT NULL AND value::text <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {int(limit)}"
    )
    return Statement(
        "facet", text, "Values of a field among what matches.", "mediad.store.facets", prepared=False
    ), params


def _own_or_file(name: str) -> str:
    """What a person set, else what the file says; `name` is one of ours."""
    return (
        f"coalesce((SELECT to_jsonb(w.value) FROM work_field w WHERE w.stream = m.stream AND w.name = '{name}'), "
        f"d.fields -> '{name}')"
    )


def _of_fields(fields: tuple[str, ...], name: str, param: Any) -> str:
    """Values of the first of these fields that a file has, or what a person set instead."""
    known = [each for each in fields if each in FIELDS]
    found = (
        "coalesce(" + ", ".join(f"d.fields -> {param(each, 'text')}" for each in known) + ")"
        if known
        else "NULL::jsonb"
    )
    own = param([name.removeprefix("user_"), *(each.removeprefix("user_") for each in fields)], "jsonb")
    mine = f"""SELECT w.value FROM work_field w WHERE w.stream = m.stream
        AND w.name IN (SELECT jsonb_array_elements_text({own}))"""
    return f"""SELECT e.value, m.stream FROM m LEFT JOIN file_detail d ON d.file = m.file
        CROSS JOIN LATERAL (SELECT {found} AS v) v
        CROSS JOIN LATERAL (
            {mine} UNION ALL
            SELECT jsonb_array_elements_text(
                CASE jsonb_typeof(v.v) WHEN 'array' THEN v.v ELSE jsonb_build_array(v.v) END)
            WHERE v.v IS NOT NULL AND NOT EXISTS ({mine})
        ) e"""
