import { HessianWriter } from "./writer.ts";

/** Writes the Hessian 2.0 draft, byte for byte as SOFAHessian 3.x. */
export class DraftWriter extends HessianWriter {
  readonly dialect = "draft";

  beginList(count: number, typeName = ""): void {
    this.out.u8(0x56); // V
    if (typeName !== "") this.#type(typeName);
    if (count < 0x100) {
      this.out.u8(0x6e); // n
      this.out.u8(count);
    } else this.tagged32(0x6c, count); // l
  }

  endList(): void {
    this.out.u8(0x7a); // z
  }

  beginMap(): void {
    this.out.u8(0x4d); // M
  }

  endMap(): void {
    this.out.u8(0x7a); // z
  }

  ref(index: number): void {
    if (index < 0x100) {
      this.out.u8(0x4a); // J
      this.out.u8(index);
    } else if (index < 0x10000)
      this.tagged16(0x4b, index); // K
    else this.tagged32(0x52, index); // R
  }

  double(value: number): void {
    if (Object.is(value, 0)) return this.out.u8(0x67);
    if (value === 1) return this.out.u8(0x68);
    if ((value << 24) >> 24 === value && !Object.is(value, -0)) return this.out.u16(0x6900 | (value & 0xff));
    if ((value << 16) >> 16 === value && !Object.is(value, -0)) return this.tagged16(0x6a, value & 0xffff);
    if (Math.fround(value) !== value) return this.doubleOfEightBytes(value);
    this.out.u8(0x6b);
    this.out.f32(value);
  }

  protected instance(index: number): void {
    this.out.u8(0x6f); // o
    this.int(index);
  }

  protected longOfFourBytes(value: number): void {
    this.tagged32(0x77, value);
  }

  protected stringHead(units: number, isLast: boolean): void {
    if (!isLast)
      this.tagged16(0x73, units); // s
    else if (units < 0x20) this.out.u8(units);
    else this.tagged16(0x53, units); // S
  }

  protected bytesHead(length: number, isLast: boolean): void {
    if (!isLast)
      this.tagged16(0x62, length); // b
    else if (length < 0x10) this.out.u8(0x20 + length);
    else this.tagged16(0x42, length); // B
  }

  #type(typeName: string): void {
    // Type names are ASCII, so their units are their bytes.
    this.tagged16(0x74, typeName.length); // t
    for (let at = 0; at < typeName.length; at++) this.out.u8(typeName.charCodeAt(at));
  }
}
