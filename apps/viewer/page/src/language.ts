// A browser in the POSIX locale reports a language that is none (`en-US@posix`), and uPlot would throw as it is loaded.
try {
  Intl.getCanonicalLocales(navigator.language)
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en' })
}
