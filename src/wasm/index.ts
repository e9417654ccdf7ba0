export { type FlowGraph, positions, reversePostorder } from './flow-graph.ts';
export { FunctionCode, type Label } from './function-code.ts';
export { type Limits, ModuleBuilder } from './module.ts';
export { AtomicOp, type BlockType, BulkOp, EMPTY_BLOCK, Op, ValueType } from './opcode.ts';
export { type NodeEmitter, structurize } from './structurizer.ts';
