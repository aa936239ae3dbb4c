"""The proxy of a channel: what an operator may write, how it is kept, what of it is shown."""

from airouter.domain.errors import InvalidRequest
from airouter.domain.ids import ChannelId
from airouter.domain.policy import Network
from airouter.services.base_urls import checked_base_url
from airouter.services.catalogue import PROXY_PURPOSE, PROXY_TABLE
from airouter.services.vault import Vault
from airouter.upstream.proxies import checked_proxy


async def sealed_proxy(
    vault: Vault, channel_id: ChannelId, text: str | None, network: Network
) -> tuple[bytes | None, str | None]:
    """(what is kept, what is shown): the whole of it encrypted, because it may hold a password, and its address.

    Raises InvalidRequest, as `proxy_as_written`.
    """
    if text is None:
        return None, None
    proxy, shown = await proxy_as_written(text, network)
    return vault.encrypt(PROXY_PURPOSE, PROXY_TABLE, channel_id, proxy), shown


async def proxy_as_written(text: str, network: Network) -> tuple[str, str]:
    """(what to connect with, what is shown) of a proxy.

    Policy `network` judges its address as that of any upstream. Raises InvalidRequest; it repeats no password.
    """
    try:
        proxy, shown = checked_proxy(text)
    except ValueError as error:
        raise InvalidRequest(f"proxy: {error}.", field="proxy") from None
    try:
        await checked_base_url(shown, network)
    except InvalidRequest as error:
        raise InvalidRequest(str(error).replace("base_url:", "proxy:", 1), field="proxy") from None
    return proxy, shown
