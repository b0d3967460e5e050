import { defineConfig } from 'vite'

export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // Inlined assets would be data: URLs, which the page's content security policy does not allow.
  build: { outDir: '../dist/page', emptyOutDir: true, assetsInlineLimit: 0, target: 'es2022', modulePreload: false },
})
