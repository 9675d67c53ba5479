// Curator's recipes and ZooKeeper's own Java client against a server: each case prints `ok` and its name, and the first
// one that fails ends the run.
package roster.zookeeper;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

public final class Main {
  private static final long WAIT_S = 20;
  private static String servers;
  private static int passed;

  private interface Case {
    void run(CuratorFramework one, CuratorFramework two) throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    servers = arguments[0];
    run("mutex", Main::mutex);
    run("read-write lock", Main::readWriteLock);
    run("semaphore", Main::semaphore);
    run("leader latch", Main::leaderLatch);
    run("leader selector", Main::leaderSelector);
    run("barrier", Main::barrier);
    run("double barrier", Main::doubleBarrier);
    run("queue", Main::queue);
    run("atomic long", Main::atomicLong);
    run("shared count", Main::sharedCount);
    run("CuratorCache", Main::cache);
    run("persistent node", Main::persistentNode);
    run("group member", Main::groupMember);
    run("transaction", Main::transaction);
    run("modes", Main::modes);
    run("service discovery", Main::serviceDiscovery);
    run("the client's own operations", Main::ownOperations);
    run("ACLs", Main::acls);
    run("reattached session", Main::reattached);
    System.out.println("passed " + passed);
    System.exit(0);
  }

  private static void run(String name, Case wanted) throws Exception {
    try (CuratorFramework one = client(); CuratorFramework two = client()) {
      wanted.run(one, two);
      passed++;
      System.out.println("ok " + name);
    } catch (Throwable failure) {
      System.out.println("FAILED " + name);
      failure.printStackTrace(System.out);
      System.exit(1);
    }
  }

  private static CuratorFramework client() throws InterruptedException {
    CuratorFramework client =
        CuratorFrameworkFactory.builder()
            .connectString(servers)
            .namespace("curator")
            .sessionTimeoutMs(8_000)
            .connectionTimeoutMs(8_000)
            .retryPolicy(new ExponentialBackoffRetry(200, 5))
            .build();
    client.start();
    check(client.blockUntilConnected(20, TimeUnit.SECONDS), "connected");
    return client;
  }

  private static void check(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }

  private static void same(Object actual, Object expected) {
    check(Objects.equals(actual, expected), "found " + actual + ", not " + expected);
  }

  private static void eventually(String what, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_S);
    while (!condition.call()) {
      check(System.nanoTime() < end, what);
      Thread.sleep(20);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void mutex(CuratorFramework one, CuratorFramework two) throws Exception {
    AtomicInteger holders = new AtomicInteger();
    AtomicInteger turns = new AtomicInteger();
    ExecutorService pool = Executors.newFixedThreadPool(4);
    List<Future<?>> all = new ArrayList<>();
    for (int at = 0; at < 4; at++) {
      InterProcessMutex lock = new InterProcessMutex(at % 2 == 0 ? one : two, "/mutex");
      all.add(
          pool.submit(
              () -> {
                for (int turn = 0; turn < 5; turn++) {
                  check(lock.acquire(WAIT_S, TimeUnit.SECONDS), "the lock is acquired");
                  check(holders.incrementAndGet() == 1, "one holder");
                  turns.incrementAndGet();
                  holders.decrementAndGet();
                  lock.release();
                }
                return null;
              }));
    }
    for (Future<?> each : all) each.get(60, TimeUnit.SECONDS);
    pool.shutdown();
    same(turns.get(), 20);
  }

  private static void readWriteLock(CuratorFramework one, CuratorFramework two) throws Exception {
    InterProcessReadWriteLock first = new InterProcessReadWriteLock(one, "/rw");
    InterProcessReadWriteLock second = new InterProcessReadWriteLock(two, "/rw");
    first.readLock().acquire();
    check(second.readLock().acquire(WAIT_S, TimeUnit.SECONDS), "two readers");
    check(!second.writeLock().acquire(200, TimeUnit.MILLISECONDS), "no writer beside readers");
    first.readLock().release();
    second.readLock().release();
    check(second.writeLock().acquire(WAIT_S, TimeUnit.SECONDS), "a writer");
    second.writeLock().release();
  }

  private static void semaphore(CuratorFramework one, CuratorFramework two) throws Exception {
    InterProcessSemaphoreV2 first = new InterProcessSemaphoreV2(one, "/semaphore", 2);
    InterProcessSemaphoreV2 second = new InterProcessSemaphoreV2(two, "/semaphore", 2);
    Lease a = first.acquire();
    Lease b = second.acquire();
    check(first.acquire(300, TimeUnit.MILLISECONDS) == null, "there are two leases");
    second.returnLease(b);
    Lease c = first.acquire(WAIT_S, TimeUnit.SECONDS);
    check(c != null, "a lease that was returned");
    first.returnLease(a);
    first.returnLease(c);
  }

  private static void leaderLatch(CuratorFramework one, CuratorFramework two) throws Exception {
    LeaderLatch first = new LeaderLatch(one, "/latch", "1");
    try (LeaderLatch second = new LeaderLatch(two, "/latch", "2")) {
      first.start();
      check(first.await(WAIT_S, TimeUnit.SECONDS), "the first leads");
      second.start();
      check(!second.await(300, TimeUnit.MILLISECONDS), "the second waits");
      first.close();
      check(second.await(WAIT_S, TimeUnit.SECONDS), "the second leads");
    }
  }

  private static void leaderSelector(CuratorFramework one, CuratorFramework two) throws Exception {
    CountDownLatch led = new CountDownLatch(4);
    LeaderSelectorListenerAdapter listener =
        new LeaderSelectorListenerAdapter() {
          @Override
          public void takeLeadership(CuratorFramework client) {
            led.countDown();
          }
        };
    try (LeaderSelector first = new LeaderSelector(one, "/selector", listener);
        LeaderSelector second = new LeaderSelector(two, "/selector", listener)) {
      first.autoRequeue();
      second.autoRequeue();
      first.start();
      second.start();
      check(led.await(WAIT_S, TimeUnit.SECONDS), "both lead in turns");
    }
  }

  private static void barrier(CuratorFramework one, CuratorFramework two) throws Exception {
    DistributedBarrier first = new DistributedBarrier(one, "/barrier");
    first.setBarrier();
    CountDownLatch through = new CountDownLatch(1);
    Thread waiting =
        new Thread(
            () -> {
              try {
                new DistributedBarrier(two, "/barrier").waitOnBarrier();
                through.countDown();
              } catch (Exception ignored) {
                // The latch tells.
              }
            });
    waiting.start();
    check(!through.await(300, TimeUnit.MILLISECONDS), "the barrier holds");
    first.removeBarrier();
    check(through.await(WAIT_S, TimeUnit.SECONDS), "the barrier is open");
  }

  private static void doubleBarrier(CuratorFramework one, CuratorFramework two) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(2);
    List<Future<Boolean>> all = new ArrayList<>();
    for (CuratorFramework client : List.of(one, two)) {
      DistributedDoubleBarrier barrier = new DistributedDoubleBarrier(client, "/double", 2);
      all.add(
          pool.submit(() -> barrier.enter(WAIT_S, TimeUnit.SECONDS) && barrier.leave(WAIT_S, TimeUnit.SECONDS)));
    }
    for (Future<Boolean> each : all) check(each.get(60, TimeUnit.SECONDS), "in and out together");
    pool.shutdown();
  }

  private static void queue(CuratorFramework one, CuratorFramework two) throws Exception {
    SimpleDistributedQueue first = new SimpleDistributedQueue(one, "/queue");
    SimpleDistributedQueue second = new SimpleDistributedQueue(two, "/queue");
    for (int at = 0; at < 5; at++) first.offer(bytes("item-" + at));
    for (int at = 0; at < 5; at++) same(new String(second.take(), StandardCharsets.UTF_8), "item-" + at);
    same(second.poll(), null);
  }

  private static void atomicLong(CuratorFramework one, CuratorFramework two) throws Exception {
    ExponentialBackoffRetry retry = new ExponentialBackoffRetry(10, 10);
    DistributedAtomicLong first = new DistributedAtomicLong(one, "/long", retry);
    DistributedAtomicLong second = new DistributedAtomicLong(two, "/long", retry);
    for (int at = 0; at < 10; at++) check((at % 2 == 0 ? first : second).increment().succeeded(), "incremented");
    same(first.get().postValue(), 10L);
  }

  private static void sharedCount(CuratorFramework one, CuratorFramework two) throws Exception {
    try (SharedCount first = new SharedCount(one, "/count", 0); SharedCount second = new SharedCount(two, "/count", 0)) {
      first.start();
      second.start();
      first.setCount(7);
      eventually("the count is seen", () -> second.getCount() == 7);
    }
  }

  private static void cache(CuratorFramework one, CuratorFramework two) throws Exception {
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    try (CuratorCache cache = CuratorCache.build(two, "/cache")) {
      CountDownLatch initialized = new CountDownLatch(1);
      cache
          .listenable()
          .addListener(
              CuratorCacheListener.builder()
                  .forCreates(node -> seen.add("+" + node.getPath()))
                  .forChanges((before, after) -> seen.add("=" + after.getPath()))
                  .forDeletes(node -> seen.add("-" + node.getPath()))
                  .forInitialized(initialized::countDown)
                  .build());
      cache.start();
      check(initialized.await(WAIT_S, TimeUnit.SECONDS), "initialized");
      one.create().creatingParentsIfNeeded().forPath("/cache/a/b", bytes("1"));
      for (String path : List.of("/cache", "/cache/a", "/cache/a/b")) same(next(seen), "+" + path);
      // The cache reads the data behind each event, so it may miss one that is followed by another at once.
      one.setData().forPath("/cache/a/b", bytes("2"));
      same(next(seen), "=/cache/a/b");
      one.delete().forPath("/cache/a/b");
      same(next(seen), "-/cache/a/b");
    }
  }

  private static String next(BlockingQueue<String> seen) throws InterruptedException {
    return seen.poll(WAIT_S, TimeUnit.SECONDS);
  }

  private static void persistentNode(CuratorFramework one, CuratorFramework two) throws Exception {
    try (PersistentNode node = new PersistentNode(one, CreateMode.EPHEMERAL, false, "/persistent", bytes("here"))) {
      node.start();
      check(node.waitForInitialCreate(WAIT_S, TimeUnit.SECONDS), "created");
      two.delete().forPath("/persistent");
      eventually("created again", () -> two.checkExists().forPath("/persistent") != null);
    }
    eventually("gone", () -> two.checkExists().forPath("/persistent") == null);
  }

  private static void groupMember(CuratorFramework one, CuratorFramework two) throws Exception {
    try (GroupMember first = new GroupMember(one, "/group", "a"); GroupMember second = new GroupMember(two, "/group", "b")) {
      first.start();
      second.start();
      eventually("both", () -> first.getCurrentMembers().size() == 2 && second.getCurrentMembers().size() == 2);
      first.close();
      eventually("one", () -> second.getCurrentMembers().size() == 1);
    }
  }

  private static void transaction(CuratorFramework one, CuratorFramework two) throws Exception {
    List<CuratorTransactionResult> results =
        one.transaction()
            .forOperations(
                one.transactionOp().create().forPath("/txn", bytes("1")),
                one.transactionOp().setData().forPath("/txn", bytes("2")),
                one.transactionOp().create().forPath("/txn/child"),
                one.transactionOp().check().forPath("/txn"));
    same(results.size(), 4);
    same(new String(two.getData().forPath("/txn"), StandardCharsets.UTF_8), "2");
    try {
      one.transaction()
          .forOperations(one.transactionOp().create().forPath("/txn/x"), one.transactionOp().delete().forPath("/nix"));
      throw new AssertionError("a transaction with a wrong step fails");
    } catch (KeeperException.NoNodeException expected) {
      same(two.checkExists().forPath("/txn/x"), null);
    }
  }

  private static void modes(CuratorFramework one, CuratorFramework two) throws Exception {
    one.create().creatingParentContainersIfNeeded().withMode(CreateMode.EPHEMERAL).forPath("/box/e");
    String first = one.create().withProtection().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath("/box/s-");
    check(first.endsWith("s-0000000001"), first);
    one.create().withTtl(60_000).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath("/ttl");
    Stat stat = new Stat();
    one.create().storingStatIn(stat).forPath("/stat", bytes("abc"));
    same(stat.getDataLength(), 3);
    same(two.checkExists().forPath("/box/e").getEphemeralOwner(), one.getZookeeperClient().getZooKeeper().getSessionId());
  }

  private static void serviceDiscovery(CuratorFramework one, CuratorFramework two) throws Exception {
    ServiceInstance<Void> instance =
        ServiceInstance.<Void>builder().name("orders").address("10.0.0.1").port(8080).build();
    try (ServiceDiscovery<Void> provider =
            ServiceDiscoveryBuilder.builder(Void.class).client(one).basePath("/found").thisInstance(instance).build();
        ServiceDiscovery<Void> consumer =
            ServiceDiscoveryBuilder.builder(Void.class).client(two).basePath("/found").build()) {
      provider.start();
      consumer.start();
      eventually("found", () -> consumer.queryForInstances("orders").size() == 1);
      same(consumer.queryForInstances("orders").iterator().next().getPort(), 8080);
    }
  }

  private static void ownOperations(CuratorFramework one, CuratorFramework two) throws Exception {
    ZooKeeper zk = one.getZookeeperClient().getZooKeeper();
    BlockingQueue<WatchedEvent> seen = new LinkedBlockingQueue<>();
    zk.create("/own", bytes("x"), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    Watcher watcher = seen::add;
    zk.addWatch("/own", watcher, AddWatchMode.PERSISTENT_RECURSIVE);
    List<OpResult> done =
        zk.multi(
            List.of(
                Op.create("/own/a", null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL),
                Op.setData("/own/a", bytes("y"), 0),
                Op.delete("/own/a", 1)));
    same(done.size(), 3);
    for (Watcher.Event.EventType type :
        List.of(
            Watcher.Event.EventType.NodeCreated,
            Watcher.Event.EventType.NodeDataChanged,
            Watcher.Event.EventType.NodeDeleted)) {
      WatchedEvent event = seen.poll(WAIT_S, TimeUnit.SECONDS);
      check(event != null, "an event " + type);
      same(event.getType(), type);
      same(event.getPath(), "/own/a");
    }
    zk.removeWatches("/own", watcher, Watcher.WatcherType.Any, false);
    zk.create("/own/e", null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
    same(zk.getEphemerals("/own"), List.of("/own/e"));
    same(zk.getAllChildrenNumber("/own"), 1);
    same(zk.multi(List.of(Op.getData("/own"), Op.getChildren("/own"))).size(), 2);
    check(!zk.whoAmI().isEmpty(), "whoAmI");
    zk.delete("/own/e", -1);
    zk.delete("/own", -1);
  }

  private static void acls(CuratorFramework one, CuratorFramework two) throws Exception {
    ZooKeeper zk = one.getZookeeperClient().getZooKeeper();
    zk.addAuthInfo("digest", bytes("ben:passwd"));
    zk.create("/secret", bytes("x"), ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
    try {
      two.getZookeeperClient().getZooKeeper().getData("/secret", false, null);
      throw new AssertionError("a stranger reads");
    } catch (KeeperException.NoAuthException expected) {
      same(new String(zk.getData("/secret", false, null), StandardCharsets.UTF_8), "x");
    }
    List<ACL> open = Collections.singletonList(new ACL(ZooDefs.Perms.READ, new Id("world", "anyone")));
    zk.setACL("/secret", open, 0);
    same(two.getZookeeperClient().getZooKeeper().getACL("/secret", new Stat()), open);
  }

  private static void reattached(CuratorFramework one, CuratorFramework two) throws Exception {
    ZooKeeper first = one.getZookeeperClient().getZooKeeper();
    long id = first.getSessionId();
    one.create().withMode(CreateMode.EPHEMERAL).forPath("/mine");
    CountDownLatch connected = new CountDownLatch(1);
    ZooKeeper second =
        new ZooKeeper(
            servers,
            8_000,
            event -> {
              if (event.getState() == Watcher.Event.KeeperState.SyncConnected) connected.countDown();
            },
            id,
            first.getSessionPasswd());
    check(connected.await(WAIT_S, TimeUnit.SECONDS), "reattached");
    same(second.getSessionId(), id);
    second.close();
    eventually("its ephemeral znode is gone", () -> two.checkExists().forPath("/mine") == null);
  }
}
