import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'sqlite',
  schema: './src/host/store/schema.ts',
  out: './migrations',
});
