package roster.eureka;

/** One behaviour that applications rely on. */
interface Case {
  void run(Clients clients) throws Exception;
}
