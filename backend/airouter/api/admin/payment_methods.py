"""Payment methods. Owners make and change them; their secrets go in and never come out."""

from typing import Any, Final

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from airouter.api.callers import Operator, Owner
from airouter.api.documents import refusals
from airouter.services.audit_log import Actor
from airouter.services.payment_method_forms import MethodChanges, MethodDraft, MethodView, ProcessorView
from airouter.services.payment_methods import PaymentMethods


class PaymentMethodList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[MethodView]
    next_cursor: None


class ProcessorList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ProcessorView]
    next_cursor: None


@get(
    "/admin/payment-processors",
    operation_id="listPaymentProcessors",
    permission="operator.read",
    summary="What payment methods can be made for",
    tags=["Admin"],
    responses=refusals(401, 403),
    sync_to_thread=False,
)
def processors(operator: NamedDependency[Operator], payment_methods: NamedDependency[PaymentMethods]) -> ProcessorList:
    """With the names of their secrets, and the JSON schema of their configuration."""
    del operator
    return ProcessorList(items=payment_methods.processors(), next_cursor=None)


class PaymentMethodController(Controller):
    """Below /admin/payment-methods."""

    path = "/admin/payment-methods"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listPaymentMethods",
        permission="operator.read",
        summary="Payment methods, in the order in which buyers see them",
        responses=refusals(401, 403),
    )
    async def methods(
        self, operator: NamedDependency[Operator], payment_methods: NamedDependency[PaymentMethods]
    ) -> PaymentMethodList:
        del operator
        return PaymentMethodList(items=await payment_methods.all(), next_cursor=None)

    @get(
        "/{method_id:str}",
        operation_id="getPaymentMethod",
        permission="operator.read",
        summary="A payment method",
        responses=refusals(401, 403, 404),
    )
    async def method(
        self,
        method_id: FromPath[str],
        operator: NamedDependency[Operator],
        payment_methods: NamedDependency[PaymentMethods],
    ) -> MethodView:
        del operator
        return await payment_methods.get(method_id)

    @post(
        "/",
        operation_id="createPaymentMethod",
        permission="payment_methods.write",
        summary="Add a payment method",
        responses=refusals(401, 403, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[MethodDraft],
        owner: NamedDependency[Owner],
        actor: NamedDependency[Actor],
        payment_methods: NamedDependency[PaymentMethods],
    ) -> MethodView:
        """`id` becomes part of its webhook's address. Without its secrets it is off, and the webhook answers 404."""
        del owner
        return await payment_methods.create(data, actor)

    @patch(
        "/{method_id:str}",
        operation_id="updatePaymentMethod",
        permission="payment_methods.write",
        summary="Change a payment method",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def change(
        self,
        *,
        method_id: FromPath[str],
        data: JSONBody[MethodChanges],
        owner: NamedDependency[Owner],
        actor: NamedDependency[Actor],
        payment_methods: NamedDependency[PaymentMethods],
    ) -> MethodView:
        """What is absent stays. A secret that is replaced is accepted for `previous_secret_hours` more; null takes one
        away. Orders keep the price that they were placed at.
        """
        del owner
        return await payment_methods.change(method_id, data, actor)

    @delete(
        "/{method_id:str}",
        operation_id="deletePaymentMethod",
        permission="payment_methods.write",
        summary="Delete a payment method",
        responses=refusals(401, 403, 404, 409),
    )
    async def delete(
        self,
        method_id: FromPath[str],
        owner: NamedDependency[Owner],
        actor: NamedDependency[Actor],
        payment_methods: NamedDependency[PaymentMethods],
    ) -> None:
        """Its secrets go with it; its orders stay. 409 while orders of it wait for something."""
        del owner
        await payment_methods.delete(method_id, actor)


PAYMENT_METHODS: Final[tuple[Any, ...]] = (PaymentMethodController, processors)
