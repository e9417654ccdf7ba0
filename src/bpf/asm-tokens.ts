/** One token of an instruction's text. */
export interface Token {
  /**
   * What it is to the grammar: `r` or `w` for a register, `#` for a number, `±` for one with a sign, `label` for a name that is no
   * keyword, else the text itself.
   */
  readonly shape: string;
  readonly isOperand: boolean;
  /** Of a register its number, of a number its value. */
  readonly value: bigint;
  readonly label?: string;
}

const keyword =
  /^(?:if|goto|gotol|call|callx|btf|exit|lock|skb|ll|map|map_index|value|variable|code|[us](?:8|16|32|64)|(?:le|be|bswap)(?:16|32|64)|atomic_fetch_(?:add|or|and|xor)|(?:cmp)?xchg(?:32_32|_64))$/;

/** Longest first, since `s>>=` begins with `s>`. */
const lexeme =
  /\s*(?:(?<sign>[+-])?\s*(?<number>0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})(?![\w.$])|(?<operator>s>>=|s>=|s<=|s>|s<|s\/=|s%=|>>=|<<=|[-+*/%|&^=!<>]=|[-+*/%|&^=<>()[\],])|(?<word>[A-Za-z_.$][\w.$]*))/y;

/** Cuts an instruction into tokens. What fits no token ends the list with one that no grammar has. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const trimmed = text.trim();
  let at = 0;
  while (at < trimmed.length) {
    lexeme.lastIndex = at;
    const groups = lexeme.exec(trimmed)?.groups;
    if (groups === undefined) return [...tokens, plain('<bad>')];
    at = lexeme.lastIndex;
    tokens.push(tokenOf(groups));
  }
  return tokens;
}

function plain(shape: string): Token {
  return { shape, isOperand: false, value: 0n };
}

function tokenOf({ sign, number, operator, word }: Record<string, string | undefined>): Token {
  if (number !== undefined) {
    const magnitude = BigInt(number);
    return {
      shape: sign === undefined ? '#' : '±',
      isOperand: true,
      value: sign === '-' ? -magnitude : magnitude,
    };
  }
  if (operator !== undefined) return plain(operator);
  const name = word ?? '';
  const register = /^([rw])(\d{1,2})$/.exec(name);
  if (register !== null) return { shape: register[1], isOperand: true, value: BigInt(register[2]) };
  if (keyword.test(name)) return plain(name);
  return { shape: 'label', isOperand: true, value: 0n, label: name };
}
