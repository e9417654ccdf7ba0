export function wait(set: u32, hash: u32, root: u32, inPort: u32, recircId: u32, resultCount: u32): void {}
