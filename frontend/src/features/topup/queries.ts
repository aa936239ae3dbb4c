// What the top-up pages ask for.
import { queryOptions, useQuery } from "@tanstack/react-query"
import { useEffect, useState } from "react"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { Order } from "../../api/types"
import type { Choice } from "./choice"
import { pollPause } from "./order-state"

const TYPING_MS = 250

export const topupQuery = queryOptions({
  queryKey: ["topup"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/topup", { signal })),
  staleTime: 60_000,
})

/** The exact price of a choice, from the function that prices the order. */
export function useQuote(choice: Choice | null) {
  const settled = useSettled(choice)
  const quote = useQuery({
    queryKey: ["topup", "quote", settled],
    queryFn: ({ signal }) =>
      body(api().POST("/api/v1/topup/quote", { body: settled ?? { method: "" }, signal })),
    enabled: settled !== null,
    staleTime: 30_000,
    retry: false,
  })
  const isOfThis = JSON.stringify(settled) === JSON.stringify(choice)
  return {
    data: isOfThis ? quote.data : undefined,
    error: isOfThis ? quote.error : null,
    isBusy: choice !== null && (!isOfThis || quote.isFetching),
  }
}

/** A choice that stands still: while someone types, the figure before the last key is not worth asking about. */
function useSettled(choice: Choice | null): Choice | null {
  const [settled, setSettled] = useState(choice)
  const key = JSON.stringify(choice)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(JSON.parse(key) as Choice | null), TYPING_MS)
    return () => clearTimeout(timer)
  }, [key])
  return settled
}

export function useOrders() {
  return usePages<Order>(["orders"], (cursor, signal) =>
    body(api().GET("/api/v1/topup/orders", { params: { query: pageQuery(cursor) }, signal })),
  )
}

export const orderQuery = (orderId: string) =>
  queryOptions({
    queryKey: ["orders", orderId],
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/topup/orders/{order_id}", { params: { path: { order_id: orderId } }, signal })),
    // Asks often at first, then less; a settled order not at all. Nothing is credited by looking.
    refetchInterval: (query) => (query.state.data ? pollPause(query.state.data, Date.now()) : false),
    staleTime: 1_000,
  })
