import { HessianWriter } from "./writer.ts";

/** Writes the final Hessian 2.0, as Caucho's hessian-4.0.x. */
export class FinalWriter extends HessianWriter {
  readonly dialect = "final";

  beginList(count: number, typeName = ""): void {
    const isTyped = typeName !== "";
    if (count < 8) this.out.u8((isTyped ? 0x70 : 0x78) + count);
    else this.out.u8(isTyped ? 0x56 : 0x58);
    if (isTyped) this.string(typeName);
    if (count >= 8) this.int(count);
  }

  endList(): void {
    // A list of known length has no end.
  }

  beginMap(): void {
    this.out.u8(0x48); // H
  }

  endMap(): void {
    this.out.u8(0x5a); // Z
  }

  ref(index: number): void {
    this.out.u8(0x51); // Q
    this.int(index);
  }

  double(value: number): void {
    if (Object.is(value, 0)) return this.out.u8(0x5b);
    if (value === 1) return this.out.u8(0x5c);
    if ((value << 24) >> 24 === value && !Object.is(value, -0)) return this.out.u16(0x5d00 | (value & 0xff));
    if ((value << 16) >> 16 === value && !Object.is(value, -0)) return this.tagged16(0x5e, value & 0xffff);
    this.doubleOfEightBytes(value);
  }

  protected instance(index: number): void {
    if (index < 0x10) return this.out.u8(0x60 + index);
    this.out.u8(0x4f); // O
    this.int(index);
  }

  protected longOfFourBytes(value: number): void {
    this.tagged32(0x59, value);
  }

  protected stringHead(units: number, isLast: boolean): void {
    if (!isLast)
      this.tagged16(0x52, units); // R
    else if (units < 0x20) this.out.u8(units);
    else if (units < 0x400) this.out.u16(0x3000 + units);
    else this.tagged16(0x53, units); // S
  }

  protected bytesHead(length: number, isLast: boolean): void {
    if (!isLast)
      this.tagged16(0x41, length); // A
    else if (length < 0x10) this.out.u8(0x20 + length);
    else if (length < 0x400) this.out.u16(0x3400 + length);
    else this.tagged16(0x42, length); // B
  }
}
