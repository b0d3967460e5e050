/** Types of Socket.IO packets before they are encoded; a packet with attachments has the same type. */
export const CONNECT = 0
export const EVENT = 2
export const ACK = 3
