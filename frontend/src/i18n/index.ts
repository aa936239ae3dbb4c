// Two languages, each a file per page, fetched when a page first needs it. To add a page: one file under en and one under zh.
import i18next, { type BackendModule } from "i18next"
import { initReactI18next } from "react-i18next"

export const LANGUAGES = { en: "English", zh: "简体中文" } as const
export type Language = keyof typeof LANGUAGES

const CHOICE = "airouter.language"
const files = import.meta.glob<{ default: object }>("./locales/*/*.json")

const lazyFiles: BackendModule = {
  type: "backend",
  init() {},
  read(language, namespace, done) {
    const load = files[`./locales/${language}/${namespace}.json`]
    if (!load) return done(new Error(`no words for ${namespace} in ${language}`), null)
    load().then(
      (file) => done(null, file.default),
      (error) => done(error, null),
    )
  },
}

function isLanguage(value: string): value is Language {
  return value in LANGUAGES
}

/** The language on the page before anything was chosen: an earlier choice, else what the browser asks for. */
function firstLanguage(): Language {
  const wanted = document.documentElement.lang.slice(0, 2)
  return isLanguage(wanted) ? wanted : "en"
}

export async function startWords(): Promise<void> {
  i18next.on("languageChanged", (language) => {
    document.documentElement.lang = language
  })
  await i18next
    .use(lazyFiles)
    .use(initReactI18next)
    .init({
      lng: firstLanguage(),
      supportedLngs: Object.keys(LANGUAGES),
      fallbackLng: false,
      ns: ["common"],
      defaultNS: "common",
      partialBundledLanguages: true,
      interpolation: { escapeValue: false },
      react: { useSuspense: true },
    })
}

export async function chooseLanguage(language: Language): Promise<void> {
  await i18next.changeLanguage(language)
  try {
    localStorage.setItem(CHOICE, language)
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

/** Fetches a page's words beside its code, so that the page appears whole. */
export function wordsFor(...namespaces: string[]): Promise<void> {
  return i18next.loadNamespaces(namespaces)
}
