/** The stylesheet of the chats' pages, which they serve as `chat.css`. */
export const CHAT_STYLE = new URL('../public/chat.css', import.meta.url)
