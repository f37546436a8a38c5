// What build/web.go makes of files that are not scripts.

declare module '*.tflite' { const address: string; export default address }
declare module '*.wat' { const program: Uint8Array<ArrayBuffer>; export default program }
