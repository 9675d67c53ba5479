package roster.eureka;

import com.netflix.discovery.DefaultEurekaClientConfig;
import java.util.List;

/** The client's configuration: its own defaults, with shorter times. */
final class Settings extends DefaultEurekaClientConfig {
  List<String> urls;
  String encoder = super.getEncoderName();
  String decoder = super.getDecoderName();
  String accept = super.getClientDataAccept();
  /** The virtual host whose instances alone are fetched; all if there is none. */
  String vip;
  boolean isRegistered = true;

  Settings(String... urls) {
    this.urls = List.of(urls);
  }

  @Override
  public List<String> getEurekaServerServiceUrls(String zone) {
    return urls;
  }

  @Override
  public int getRegistryFetchIntervalSeconds() {
    return 1;
  }

  @Override
  public int getInitialInstanceInfoReplicationIntervalSeconds() {
    return 0;
  }

  /** Also the time within which two changes are told at once. */
  @Override
  public int getInstanceInfoReplicationIntervalSeconds() {
    return 1;
  }

  @Override
  public int getHeartbeatExecutorExponentialBackOffBound() {
    return 1;
  }

  @Override
  public int getCacheRefreshExecutorExponentialBackOffBound() {
    return 1;
  }

  @Override
  public boolean shouldRegisterWithEureka() {
    return isRegistered;
  }

  @Override
  public String getRegistryRefreshSingleVipAddress() {
    return vip;
  }

  @Override
  public String getEncoderName() {
    return encoder;
  }

  @Override
  public String getDecoderName() {
    return decoder;
  }

  @Override
  public String getClientDataAccept() {
    return accept;
  }
}
