"""Every named query fits the migrated schema, is used, may be run by the role that serves, and fills its row struct."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec import inspect

import airouter
from airouter.storage.database import SERVE_ROLE, connect
from airouter.storage.queries import every_query

BACKEND = Path(airouter.__file__).parent
STORAGE = BACKEND / "storage"
QUERIES = {f"{noun}.{name}": sql for noun, name, sql in every_query()}
FITS: dict[str, tuple[type, ...]] = {
    "int2": (inspect.IntType,),
    "int4": (inspect.IntType,),
    "int8": (inspect.IntType,),
    "bool": (inspect.BoolType,),
    "text": (inspect.StrType, inspect.LiteralType, inspect.EnumType),
    "name": (inspect.StrType,),
    "bytea": (inspect.BytesType,),
    "uuid": (inspect.UUIDType,),
    "numeric": (inspect.DecimalType,),
    "date": (inspect.DateType,),
    "timestamptz": (inspect.DateTimeType,),
    "interval": (inspect.TimeDeltaType,),
}
"""What a column of a scalar type may become; arrays become sequences, and jsonb anything."""
SEQUENCES = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)


class Use(msgspec.Struct, frozen=True):
    """A function of storage/ that turns the rows of one query into structs."""

    query: str
    struct: type[msgspec.Struct]
    made_beside: frozenset[str]
    """Fields that the function adds to what the row has."""


@pytest.fixture
async def owner(database: str):
    connection = await connect(database, as_owner=True)
    yield connection
    await connection.close()


async def test_every_query_can_be_prepared(owner: asyncpg.Connection):
    broken = []
    for name, sql in QUERIES.items():
        try:
            await owner.prepare(sql)
        except asyncpg.PostgresError as error:
            broken.append(f"{name}: {error}")
    assert not broken, "\n".join(broken)
    assert len(QUERIES) > 150


async def test_the_serving_role_may_run_every_query(database: str):
    connection = await connect(database)
    assert await connection.fetchval("SELECT current_user") == SERVE_ROLE
    refused = []
    for name, sql in QUERIES.items():
        try:
            await connection.execute(f"EXPLAIN (GENERIC_PLAN) {sql}")  # permissions are checked, nothing is done
        except asyncpg.PostgresError as error:
            refused.append(f"{name}: {error}")
    await connection.close()
    assert not refused, "\n".join(refused)


async def test_rows_and_structs_have_the_same_columns(owner: asyncpg.Connection):
    wrong: list[str] = []
    uses = list(uses_of_rows())
    for use in uses:
        attributes = (await owner.prepare(QUERIES[use.query])).get_attributes()
        columns = {attribute.name: attribute.type.name for attribute in attributes}
        known = {field.encode_name: field for field in msgspec.structs.fields(use.struct)}
        needed = {name for name, field in known.items() if field.required} - use.made_beside
        place = f"{use.query} -> {use.struct.__name__}"
        wrong += [f"{place}: the struct has no {name}" for name in sorted(columns.keys() - known.keys())]
        wrong += [f"{place}: no column {name}" for name in sorted(needed - columns.keys())]
        wrong += [
            f"{place}: {name} is {kind}, the struct says {known[name].type}"
            for name, kind in columns.items()
            if name in known and not fits(kind, known[name].type)
        ]
    assert not wrong, "\n".join(wrong)
    assert len(uses) > 50


def test_every_query_is_used_and_every_used_query_exists():
    """A misspelt name would only be noticed when its line is reached."""
    trees = [ast.parse(path.read_text()) for path in BACKEND.rglob("*.py")]
    assert {name for tree in trees for name in names_used(tree)} - set(QUERIES) == set()
    # Some are reached through another module (`groups.QUERIES.every_group`) or by a name in a table.
    said = {word for tree in trees for word in words_of(tree)}
    assert {name for name in QUERIES if name.partition(".")[2] not in said} == set()


def fits(kind: str, annotation: Any) -> bool:
    """Whether a value of this Postgres type can become what the annotation says."""
    told = inspect.type_info(annotation)
    options = told.types if isinstance(told, inspect.UnionType) else (told,)
    options = tuple(option for option in options if not isinstance(option, inspect.NoneType))
    if kind == "jsonb" or any(isinstance(option, (inspect.AnyType, inspect.CustomType)) for option in options):
        return True
    wanted = SEQUENCES if kind.endswith("[]") or kind.startswith("_") else FITS[kind]
    return any(isinstance(option, wanted) for option in options)


def names_used(tree: ast.AST) -> set[str]:
    """`noun.name` of every query that a module mentions."""
    nouns = nouns_of(tree)
    return {f"{nouns[base]}.{name}" for base, name in attributes_of(tree) if base in nouns}


def words_of(tree: ast.AST) -> Iterator[str]:
    """Every attribute's name and every string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def nouns_of(tree: ast.AST) -> dict[str, str]:
    """Which variable of a module holds the queries of which noun."""
    return {
        node.targets[0].id: node.value.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "load"
        and isinstance(node.value.args[0], ast.Constant)
    }


def attributes_of(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(variable, attribute) of everything of the shape `variable.attribute`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr


def uses_of_rows() -> Iterator[Use]:
    """Found in the sources: where one function has a query and `row_as(Struct, …)`, the one fills the other."""
    for path in sorted(STORAGE.glob("*.py")):
        tree = ast.parse(path.read_text())
        nouns = nouns_of(tree)
        module = importlib.import_module(f"airouter.storage.{path.stem}")
        for function in ast.walk(tree):
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            queries = {f"{nouns[base]}.{name}" for base, name in attributes_of(function) if base in nouns}
            for struct, made_beside in structs_of(function, module):
                fetched = [name for name in queries if is_fetched(function, name.partition(".")[2])]
                if len(fetched) == 1:
                    yield Use(fetched[0], struct, made_beside)


def structs_of(function: ast.AST, module: ModuleType) -> Iterator[tuple[type[msgspec.Struct], frozenset[str]]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "row_as":
            assert isinstance(node.args[0], ast.Name)
            given = {key.value for part in ast.walk(node) if isinstance(part, ast.Dict) for key in part.keys if key}
            given |= {word.arg for part in ast.walk(node) if isinstance(part, ast.Call) for word in part.keywords}
            yield getattr(module, node.args[0].id), frozenset(map(str, given))


def is_fetched(function: ast.AST, name: str) -> bool:
    """Whether whole rows of the query come back, by `fetch` or `fetchrow`."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"fetch", "fetchrow", "cursor"}
        and any(isinstance(part, ast.Attribute) and part.attr == name for part in node.args)
        for node in ast.walk(function)
    )
