"""The pages: server-rendered, readable without JavaScript, with nothing from another origin."""
