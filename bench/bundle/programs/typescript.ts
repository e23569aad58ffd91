import './typescript/main.ts';
