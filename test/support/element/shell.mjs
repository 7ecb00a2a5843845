// What Element's own web app does around its components, as far as a picture needs it. Bundled by build.mjs.
// oxlint-disable-next-line import/no-unassigned-import -- it makes itself known to the browser
import 'matrix-js-sdk/src/browser-index';
import React from 'react';
import ReactDOM from 'react-dom';
import PlatformPeg from 'matrix-react-sdk/src/PlatformPeg';
import SdkConfig from 'matrix-react-sdk/src/SdkConfig';

async function start() {
  // Modules read their settings while they are loaded, so these come first.
  SdkConfig.put(await (await fetch('/config.json')).json());
  const { default: BasePlatform } = await import('matrix-react-sdk/src/BasePlatform');
  const { setLanguage } = await import('matrix-react-sdk/src/languageHandler');
  const { setTheme } = await import('matrix-react-sdk/src/theme');
  const { default: AutoDiscovery } = await import('matrix-react-sdk/src/utils/AutoDiscoveryUtils');
  const { default: MatrixChat } = await import('matrix-react-sdk/src/components/structures/MatrixChat');

  class Platform extends BasePlatform {
    getHumanReadableName = () => 'Web';
    getConfig = async () => SdkConfig.get();
    getAppVersion = async () => 'pictures';
    getDefaultDeviceDisplayName = () => 'Pictures';
    requestNotificationPermission = async () => 'denied';
    displayNotification = () => undefined;
    reload = () => window.location.reload();
    startUpdateCheck = () => undefined;
  }
  PlatformPeg.set(new Platform());
  await setLanguage('en');
  await setTheme('light');
  const { base_url: homeserver } = SdkConfig.get('default_server_config')['m.homeserver'];
  SdkConfig.add({ validated_server_config: await AutoDiscovery.validateServerConfigWithStaticUrls(homeserver) });

  /** The last place that Element itself has put into the address. */
  let shown;
  const chat = ReactDOM.render(
    React.createElement(MatrixChat, {
      config: SdkConfig.get(),
      enableGuest: false,
      realQueryParams: {},
      startingFragmentQueryParams: {},
      defaultDeviceDisplayName: 'Pictures',
      onTokenLoginCompleted: () => undefined,
      onNewScreen(screen) {
        shown = `#/${screen}`;
        window.location.hash = shown;
      },
    }),
    document.getElementById('matrixchat'),
  );
  window.matrixChat = chat;
  const follow = () => {
    if (window.location.hash !== shown) chat.showScreen(window.location.hash.replace(/^#\/?/, ''));
  };
  window.addEventListener('hashchange', follow);
  follow();
}

await start();
