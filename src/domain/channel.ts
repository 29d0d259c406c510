/** The channels and the classes, in the order in which they are listed and served. */

export const CHANNELS = ["email", "sms", "voice", "whatsapp"] as const;
export type Channel = (typeof CHANNELS)[number];

/** The priority of a message, most urgent first. */
export const CLASSES = ["high", "normal", "low"] as const;
export type Class = (typeof CLASSES)[number];

export const isChannel = (text: string): text is Channel => (CHANNELS as readonly string[]).includes(text);
