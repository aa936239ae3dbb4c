import { useInfiniteQuery } from "@tanstack/react-query"

type Page<Row> = { items: Row[]; next_cursor: string | null }
export type Paged<Row> = {
  /** Undefined while the first page loads. */
  rows: Row[] | undefined
  error: unknown
  retry: () => void
  more: { isThere: boolean; isBusy: boolean; load: () => void }
}

export const PAGE_ROWS = 50

/** The query of a page: `cursor` is left out for the first. */
export function pageQuery(cursor: string): { limit: number; cursor?: string } {
  return { limit: PAGE_ROWS, ...(cursor && { cursor }) }
}

/** A list that comes in pages, as one that grows when asked for more. */
export function usePages<Row>(
  queryKey: unknown[],
  ask: (cursor: string, signal: AbortSignal) => Promise<Page<Row>>,
): Paged<Row> {
  const pages = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => ask(pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  })
  return {
    rows: pages.data?.pages.flatMap((page) => page.items),
    error: pages.error,
    retry: () => void pages.refetch(),
    more: {
      isThere: pages.hasNextPage,
      isBusy: pages.isFetchingNextPage,
      load: () => void pages.fetchNextPage(),
    },
  }
}

/** Every page of a list, for choosing from; an operator's groups and models are few. */
export async function everyPage<Row>(ask: (cursor: string) => Promise<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = []
  let cursor: string | null = ""
  while (cursor !== null) {
    const page: Page<Row> = await ask(cursor)
    rows.push(...page.items)
    cursor = page.next_cursor
  }
  return rows
}
