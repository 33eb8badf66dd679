// The part of fontkit that pdf-lib needs; the package brings no types.
declare module 'fontkit' {
  export interface Subset {
    encode(): Uint8Array;
  }
  export interface FontkitFont {
    createSubset(): Subset;
  }
  export function create(bytes: Uint8Array): FontkitFont;
}
