import { useQuery } from "@tanstack/react-query"
import { providersQuery } from "../../api/operator-queries"
import { Failed } from "../../components/problem"
import { ChannelForm, ChannelHead } from "./channel-form"

export default function NewChannelPage() {
  const { data: providers, error, refetch } = useQuery(providersQuery)
  return (
    <>
      <ChannelHead channel={null} />
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {providers && <ChannelForm channel={null} providers={providers} />}
    </>
  )
}
