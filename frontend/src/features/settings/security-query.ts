import { queryOptions } from "@tanstack/react-query"
import { api, body } from "../../api/client"

/** Every way into one's account. */
export const securityQuery = queryOptions({
  queryKey: ["security"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/me/security", { signal })),
})
