import { mount } from 'svelte';
import App from './App.svelte';
import { startRouter } from './app/router.svelte';
import { theme } from './app/theme.svelte';
import './styles/tokens.css';
import './styles/base.css';

theme.apply();
startRouter();

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });
