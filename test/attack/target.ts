// The target of an attack, and its surroundings.

/** Where the server takes connections. */
export interface Target {
  readonly host: string;
  readonly boltPort: number;
  readonly httpPort: number;
  readonly metaHttpPort: number;
  /** 0 unless the attack asks for one. */
  readonly nodePort: number;
  /** Of the other protocols. */
  readonly gateways: GatewayPorts;
}

/** The ports of the protocols beside SOFARegistry's. */
export interface GatewayPorts {
  readonly nacos: number;
  readonly nacosGrpc: number;
  readonly eureka: number;
  readonly consul: number;
  readonly zookeeper: number;
  /** For TCP and UDP. */
  readonly dns: number;
}

/** Honest subscribers of one service more, on connections of their own: they read and answer as fast as they can. */
export interface Readers {
  readonly service: string;
  readonly count: number;
}

/** The attack's needs of the server. */
export interface ServerNeeds {
  readonly flags?: readonly string[];
  readonly hasNodePort?: boolean;
  /** How many descriptors the server may open. */
  readonly openFilesMax?: number;
}
