// Draws the curves that Python made, in the colours of the theme.
(() => {
  const lamplight = (window.lamplight ??= {});

  lamplight.curves = (element, props, watch) => {
    const host = element.querySelector("[data-host]");
    lamplight.redraw(host, watch, () => {
      host.classList.toggle("empty", !props.value);
      if (!window.Plotly || !host.clientWidth) return;
      if (!props.value) return window.Plotly.purge(host);
      const { data, layout } = lamplight.coloured(JSON.parse(props.value));
      const size = { width: host.clientWidth, height: host.clientHeight };
      layout.font = { family: getComputedStyle(host).fontFamily };
      const config = { displayModeBar: false, responsive: false };
      window.Plotly.react(host, data, { ...layout, ...size }, config);
    });
  };
})();
