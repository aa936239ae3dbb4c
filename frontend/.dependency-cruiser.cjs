/** The floors of the console: app -> features -> components -> api, format, i18n. Features are islands. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to })

module.exports = {
  forbidden: [
    forbid(
      "no-circles",
      "A circle has no top floor.",
      {},
      { circular: true, dependencyTypesNot: ["type-only"] },
    ),
    forbid(
      "features-are-islands",
      "A feature never imports another; what two need moves down to components or api.",
      { path: "^src/features/([^/]+)/" },
      { path: "^src/features/", pathNot: "^src/features/$1/" },
    ),
    forbid(
      "nothing-imports-app",
      "Addresses and frames stand on top.",
      { path: "^src/(features|components|api|format|i18n)/" },
      { path: "^src/app/" },
    ),
    forbid(
      "components-know-no-feature",
      "Components take props and give callbacks.",
      { path: "^src/(components|api|format|i18n)/" },
      { path: "^src/features/" },
    ),
    forbid(
      "the-ground-floor-is-plain",
      "api, format and i18n draw nothing.",
      { path: "^src/(api|format|i18n)/" },
      { path: "^src/components/" },
    ),
    forbid(
      "format-is-pure",
      "Formatting knows neither server nor React.",
      { path: "^src/format/" },
      { path: "^src/(api|i18n)/|node_modules/react" },
    ),
    forbid(
      "no-unlisted-package",
      "Only what package.json names.",
      {},
      { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
}
