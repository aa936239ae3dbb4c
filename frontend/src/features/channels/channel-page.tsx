import { useQuery } from "@tanstack/react-query"
import { Link, useParams } from "@tanstack/react-router"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { providersQuery } from "../../api/operator-queries"
import { asProblem } from "../../api/problem"
import { Failed } from "../../components/problem"
import { ChannelForm, ChannelHead } from "./channel-form"

export default function ChannelPage() {
  const { t } = useTranslation("channels")
  const { channelId } = useParams({ from: "/console/admin/channels/$channelId" })
  const providers = useQuery(providersQuery)
  const channel = useQuery({
    queryKey: ["admin", "channels", channelId],
    queryFn: ({ signal }) =>
      body(
        api().GET("/api/v1/admin/channels/{channel_id}", {
          params: { path: { channel_id: channelId } },
          signal,
        }),
      ),
    refetchInterval: 20_000,
  })
  const error = channel.error ?? providers.error
  if (error && !channel.data)
    return asProblem(error).status === 404 ? (
      <div className="state-box">
        <b>{t("notThere")}</b>
        <p>{t("notThereText")}</p>
        <Link to="/console/admin/channels">{t("back")}</Link>
      </div>
    ) : (
      <Failed error={error} onRetry={() => void channel.refetch()} />
    )
  if (!channel.data || !providers.data)
    return <span className="bone" style={{ width: "40%", height: 28 }} aria-busy="true" />
  return (
    <>
      <ChannelHead channel={channel.data} />
      <ChannelForm key={channelId} channel={channel.data} providers={providers.data} />
    </>
  )
}
