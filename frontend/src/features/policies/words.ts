import { useTranslation } from "react-i18next"

/** "welcome_grant" as words, for a field that has none of its own. */
export function plain(name: string): string {
  const words = name.replace(/_(micros|seconds|bytes_max)$/, " ($1)").replaceAll("_", " ")
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The words of topics and fields, where the languages have them. */
export function usePolicyWords() {
  const { t, i18n } = useTranslation("policies")
  const say = (key: string): string | undefined =>
    i18n.exists(key, { ns: "policies" }) ? t(key as "title") : undefined
  return {
    topic: (topic: string) => say(`topic.${topic}.title`) ?? plain(topic),
    topicText: (topic: string) => say(`topic.${topic}.text`),
    label: (topic: string, field: string) => say(`topic.${topic}.${field}.label`) ?? plain(field),
    help: (topic: string, field: string) => say(`topic.${topic}.${field}.help`),
    example: (topic: string, field: string) => say(`topic.${topic}.${field}.example`),
    option: (topic: string, field: string, option: string) =>
      say(`topic.${topic}.${field}.${option}`) ?? plain(option),
  }
}
