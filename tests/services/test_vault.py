"""Secrets open only where they belong, and keys can be changed without an outage."""

import pytest

from airouter.services.vault import SecretUnreadable, Vault
from airouter.settings import SecretKey

OLD = SecretKey(id="k1", material=b"o" * 32)
NEW = SecretKey(id="k2", material=b"n" * 32)


def test_a_secret_comes_back_and_looks_different_each_time() -> None:
    vault = Vault([NEW])
    blobs = {vault.encrypt("p", "t", 1, "s3cret") for _ in range(3)}
    assert len(blobs) == 3
    assert {vault.decrypt("p", "t", 1, blob) for blob in blobs} == {"s3cret"}
    assert all(b"s3cret" not in blob for blob in blobs)


@pytest.mark.parametrize(("purpose", "table", "row"), [("q", "t", 1), ("p", "u", 1), ("p", "t", 2)])
def test_a_secret_does_not_open_for_another_purpose_table_or_row(purpose: str, table: str, row: int) -> None:
    vault = Vault([NEW])
    with pytest.raises(SecretUnreadable):
        vault.decrypt(purpose, table, row, vault.encrypt("p", "t", 1, "s3cret"))


def test_a_blob_with_any_bit_changed_does_not_open() -> None:
    vault = Vault([NEW])
    blob = vault.encrypt("p", "t", 1, "s3cret")
    for at in range(len(blob)):
        spoiled = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        with pytest.raises(SecretUnreadable):
            vault.decrypt("p", "t", 1, spoiled)
    for short in (b"", b"\x01", blob[:5]):
        with pytest.raises(SecretUnreadable):
            vault.decrypt("p", "t", 1, short)


def test_a_new_key_in_front_reads_what_the_old_one_wrote() -> None:
    before, during, after = Vault([OLD]), Vault([NEW, OLD]), Vault([NEW])
    blob = before.encrypt("p", "t", 1, "s3cret")
    assert during.decrypt("p", "t", 1, blob) == "s3cret"
    assert not during.is_current(blob)
    assert during.is_current(during.encrypt("p", "t", 1, "s3cret"))
    assert before.mac("p", b"x") in during.macs("p", b"x")
    assert during.mac("p", b"x") == after.mac("p", b"x") != before.mac("p", b"x")
    assert during.verifies("p", b"x", before.mac("p", b"x"))
    assert not after.verifies("p", b"x", before.mac("p", b"x"))
    key_id, key = before.signing_key("jwt")
    assert during.verifying_key("jwt", key_id) == key
    assert after.verifying_key("jwt", key_id) is None
    with pytest.raises(SecretUnreadable):
        after.decrypt("p", "t", 1, blob)


def test_purposes_share_no_key() -> None:
    vault = Vault([NEW])
    assert vault.mac("a", b"x") != vault.mac("b", b"x")
    assert vault.signing_key("a") != vault.signing_key("b")


def test_a_vault_shows_no_key() -> None:
    assert "n" * 8 not in repr(Vault([NEW]))
    assert "o" * 8 not in repr(OLD)
